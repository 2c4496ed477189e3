/** Probes, their streams, what can run on the target and why not the rest. */
import type { Plan, Preflight, PreflightCheck, ProbeManifest, RunView, Stream, TargetView } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { Command, Loaded } from './loaded.ts';

/** One stream of a probe on the target looked at. */
export type StreamCard = {
  readonly key: string;
  readonly probe: string;
  readonly stream: Stream;
  /** What the planner says; undefined while it is being asked. */
  readonly plan: Plan | undefined;
  /** The newest run of the stream. */
  readonly run: RunView | undefined;
  readonly isActive: boolean;
  /** Another stream that counts the same events and runs now: this one cannot. */
  readonly rival: string | undefined;
  readonly startCommand: Command | undefined;
  readonly stopCommand: Command | undefined;
};

/** One probe. */
export type ProbeCard = { readonly manifest: ProbeManifest; readonly streams: readonly StreamCard[] };

/** The page of probes. */
export type ProbesView = {
  readonly target: TargetView | undefined;
  readonly preflight: Loaded<Preflight> | undefined;
  readonly plansProblem: Extract<Loaded<unknown>, { kind: 'failed' }>['problem'] | undefined;
  readonly cards: readonly ProbeCard[];
  /** The target that plays a recorded sample, where the one looked at is another. */
  readonly replay: TargetView | undefined;
};

/** All probes on the target looked at. */
export function selectProbes(shown: Shown): ProbesView {
  const { app, target } = shown;
  const plans = target === undefined ? undefined : app.plans.get(target.id);
  return {
    target,
    preflight: target === undefined ? undefined : app.preflights.get(target.id),
    plansProblem: plans?.kind === 'failed' ? plans.problem : undefined,
    cards: app.manifests.map((manifest) => ({
      manifest,
      streams: manifest.streams.map((stream) =>
        streamCard(shown, manifest, stream, plans?.kind === 'ready' ? plans.value : []),
      ),
    })),
    replay: app.targets.find(({ id, kind }) => kind === 'replay' && id !== target?.id),
  };
}

/** Why the target looked at cannot be traced; undefined where it can, or is not known yet. */
export type CannotTrace = {
  readonly target: TargetView;
  readonly failed: readonly PreflightCheck[];
  readonly replay: TargetView | undefined;
};

/** The checks that keep the target from being traced. Where it is traced, they were wrong: a slow guest answers late. */
export function selectCannotTrace(shown: Shown): CannotTrace | undefined {
  const { app, target } = shown;
  const preflight = target === undefined ? undefined : app.preflights.get(target.id);
  if (target === undefined || preflight?.kind !== 'ready' || preflight.value.canTrace) return undefined;
  if (shown.live?.view.runs.some(({ state }) => state === 'running') === true) return undefined;
  return {
    target,
    failed: preflight.value.checks.filter(({ status }) => status === 'failed'),
    replay: app.targets.find(({ id, kind }) => kind === 'replay' && id !== target.id),
  };
}

/** Whether a run is under way. */
function isActive({ state }: RunView): boolean {
  return state === 'starting' || state === 'running' || state === 'stopping';
}

function streamCard(shown: Shown, manifest: ProbeManifest, stream: Stream, plans: readonly Plan[]): StreamCard {
  const runs = (shown.live?.view.runs ?? []).filter(({ probe }) => probe === manifest.name);
  const run = runs.findLast((one) => one.stream === stream.name);
  const key = `${manifest.name}/${stream.name}`;
  return {
    key,
    probe: manifest.name,
    stream,
    plan: plans.find((plan) => plan.probe === manifest.name && plan.stream === stream.name),
    run,
    isActive: run !== undefined && isActive(run),
    rival: runs.find((one) => stream.insteadOf.includes(one.stream) && isActive(one))?.stream,
    startCommand: shown.app.commands.get(`start ${key}`),
    stopCommand: run === undefined ? undefined : shown.app.commands.get(`stop ${run.id}`),
  };
}
