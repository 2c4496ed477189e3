/** A store in a folder of its own, and sessions in it that a test fills by hand. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CataloguedProbe } from '../../src/probes/catalogue.ts';
import { Store, type StoreOptions } from '../../src/sessions/store.ts';
import { busyProbe, wideLimits } from './busy-probe.ts';
import { FakeSession, fakeRun, fakeSlice } from './fake-session.ts';

/** Columns of the busy probe's detail, as FakeSession wants them. */
const busyCallTypes = new Map([[1, ['timeNs', 'u16', 'text'] as const]]);

/** What the store reported is in `reports`. */
export type TempStore = AsyncDisposable & {
  readonly store: Store;
  readonly folder: string;
  readonly reports: string[];
};

/** Opens one; in a folder that goes with it unless one is named. */
export async function openTempStore(options: Partial<StoreOptions> = {}): Promise<TempStore> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'faultline-store-'));
  const reports: string[] = [];
  const opened = await Store.open({
    folder,
    role: 'single',
    limits: wideLimits,
    faultline: '0.0.0-test',
    clock: () => 1_000,
    report: (message) => void reports.push(message),
    ...options,
  });
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  return {
    store,
    folder,
    reports,
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A session of the busy probe with both its streams; nothing has happened yet. */
export function busySession(id: string): FakeSession {
  const runs = (['counts', 'detail'] as const).map((stream, index) =>
    fakeRun(index, { probe: 'busy', stream, script: `${stream}.bt` }),
  );
  return new FakeSession({ id, runs, callTypes: busyCallTypes });
}

/** One tick: `events` events of one process, and `calls` calls. The first has to announce cell and text. */
export function pushBusyTick(session: FakeSession, events: number, calls: number): void {
  const isFirst = session.seq === 0;
  const fromNs = session.seq * 1_000;
  const toNs = fromNs + 1_000;
  const times = Float64Array.from({ length: calls }, (_, at) => fromNs + at);
  session.push([
    fakeSlice(0, {
      fromNs,
      toNs,
      newCells: isFirst
        ? [{ cell: 0, metric: 'acquisitions', dims: { mode: 'mmap-read', success: 'yes', comm: 'app' } }]
        : [],
      cells: Uint32Array.of(0),
      deltas: Float64Array.of(events),
    }),
    fakeSlice(1, {
      fromNs,
      toNs,
      newTexts: isFirst ? ['app'] : [],
      firstText: isFirst ? 0 : 1,
      calls: [times, new Uint16Array(calls), new Uint16Array(calls)],
      callCount: calls,
    }),
  ]);
}

/** Records a session with three ticks and closes it; its id is answered. */
export async function recordBusySession(
  { store }: Pick<TempStore, 'store'>,
  id: string,
  probes: readonly CataloguedProbe[] = [busyProbe],
): Promise<string> {
  const session = busySession(id);
  const recording = store.record(session, probes);
  for (let tick = 0; tick < 3; tick += 1) pushBusyTick(session, 5, 4);
  const made = recording.view()?.id ?? '';
  await recording.close();
  return made;
}
