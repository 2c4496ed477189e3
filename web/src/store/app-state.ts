/** What the page knows besides the figures: how it stands with the server, targets, probes, plans, commands. */
import type {
  LabMatrix,
  LabView,
  LiveSession,
  Plan,
  Preflight,
  ProbeManifest,
  Problem,
  SessionClock,
  SessionView,
  TargetView,
  VfioDevice,
} from '@faultline/shared';
import { type ComparisonsState, noComparisons } from './comparisons-store.ts';
import type { Command, Loaded } from './loaded.ts';
import type { PageState } from './page-state.ts';
import { type RecordedShown, type RecordingsState, emptyRecordings } from './recordings-state.ts';

/** How the page stands with the server. */
export type Link =
  | { readonly kind: 'loading' }
  | { readonly kind: 'unreachable'; readonly problem: Problem }
  | { readonly kind: 'no-session' }
  /** The address names a target that is not there, or not any more. */
  | { readonly kind: 'no-target'; readonly targetId: string }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly sinceMs: number }
  | { readonly kind: 'refused'; readonly problem: Problem };

/** All of it. */
export type AppState = {
  readonly targets: readonly TargetView[];
  readonly manifests: readonly ProbeManifest[];
  readonly sessions: readonly SessionView[];
  /** By target. */
  readonly plans: ReadonlyMap<string, Loaded<readonly Plan[]>>;
  readonly preflights: ReadonlyMap<string, Loaded<Preflight>>;
  /** Devices bound to vfio-pci, by target; a target not in it was not asked. */
  readonly devices: ReadonlyMap<string, readonly VfioDevice[]>;
  /** Undefined before it was asked for. */
  readonly lab: Loaded<LabView> | undefined;
  /** By what was commanded: `start probe/stream`, `stop run`, `boot kernel`, `lab machine`. */
  readonly commands: ReadonlyMap<string, Command>;
  readonly recordings: RecordingsState;
  readonly comparisons: ComparisonsState;
  /** Undefined before it was asked for. */
  readonly matrix: Loaded<LabMatrix> | undefined;
};

/** What a view is computed from: one consistent moment. */
export type Shown = {
  readonly app: AppState;
  readonly page: PageState;
  readonly link: Link;
  /** The target looked at, once targets are known. */
  readonly target: TargetView | undefined;
  /** The session as of now, for states and the ledger. */
  readonly live: LiveSession | undefined;
  /** The session whose figures are drawn: that of now, or of the moment of the pause. */
  readonly session: LiveSession | undefined;
  readonly clock: SessionClock | undefined;
  /** The right edge of all charts: the newest kernel time of any run. */
  readonly untilNs: number;
  readonly nowMs: number;
  /** When figures last came; undefined before the first. */
  readonly dataAtMs: number | undefined;
  /** The recorded session that is looked at instead of what happens now. */
  readonly recorded: RecordedShown | undefined;
  /** The other column, where two targets are looked at side by side: the same moment of it. */
  readonly other?: Shown;
};

/** Before anything is known. */
export const emptyAppState: AppState = {
  targets: [],
  manifests: [],
  sessions: [],
  plans: new Map(),
  preflights: new Map(),
  devices: new Map(),
  lab: undefined,
  commands: new Map(),
  recordings: emptyRecordings,
  comparisons: noComparisons,
  matrix: undefined,
};

/** A map with one entry changed; undefined takes it out. */
export function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T | undefined): ReadonlyMap<string, T> {
  const changed = new Map(map);
  if (value === undefined) changed.delete(key);
  else changed.set(key, value);
  return changed;
}

/** The target to look at: the chosen one, else the one being traced, else the first host, else the first. */
export function chooseTarget(app: AppState, chosen: string | undefined): TargetView | undefined {
  const traced = app.sessions.find(({ runs }) => runs.some(({ state }) => state === 'running' || state === 'starting'));
  return (
    app.targets.find(({ id }) => id === chosen) ??
    app.targets.find(({ id }) => id === traced?.target.id) ??
    app.targets.find(({ kind }) => kind === 'host') ??
    app.targets[0]
  );
}
