/** Opens the store of a command that traces, or says why it goes without. */
import { Derivation } from '../queries/derivation.ts';
import { Store } from '../sessions/store.ts';
import { defaultStoreLimits } from '../sessions/store-bounds.ts';
import type { StoreWords } from './store-words.ts';
import { complaint, type Terminal } from './terminal.ts';

/** Who asks. */
export type StoreUse = {
  readonly role: 'server' | 'single';
  readonly faultline: string;
  readonly label?: string | undefined;
  /** No tables are made of sessions as they close: that would disturb what is measured meanwhile. */
  readonly isMeasuring?: boolean;
};

/** The store; 'none' where nothing is recorded; 'refused' where the command must not go on (it has been said). */
export async function openStore(
  words: StoreWords | undefined,
  use: StoreUse,
  terminal: Pick<Terminal, 'err'>,
): Promise<Store | 'none' | 'refused'> {
  if (words === undefined) return 'none';
  const report = (message: string): void => terminal.err(`faultline: ${message}\n`);
  const { folder, chosen, isChosen } = words;
  const derivation = use.isMeasuring === true ? undefined : new Derivation();
  const kept = { folder, limits: defaultStoreLimits, chosen };
  const store = await Store.open({ ...kept, ...use, clock: () => Date.now(), report, derivation });
  if (store.ok) return store.value;
  const { kind, message, remedy } = store.error;
  terminal.err(complaint(message, remedy));
  // Whoever named a store or a label wants the recording; where nobody did, tracing matters more.
  if (kind === 'store-in-use' || isChosen || use.label !== undefined) return 'refused';
  report('nothing is recorded');
  return 'none';
}
