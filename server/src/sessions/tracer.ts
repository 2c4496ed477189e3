/** All of tracing: targets, the catalogue of probes, and one session a target. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  capabilitiesAgeMaxMs,
  err,
  ok,
  type Plan,
  type Preflight,
  type ProbeManifest,
  type Result,
  type RunView,
  runsPerTargetMax,
  type StartRun,
  type Stream,
  streamsMeantBy,
  type TargetView,
  targetsMax,
  type VfioDevice,
} from '@faultline/shared';
import { readCapabilities, type TargetCapabilities } from '../probes/capabilities.ts';
import type { CataloguedProbe } from '../probes/catalogue.ts';
import { planAll, planStream } from '../probes/planner.ts';
import { preflight } from '../probes/preflight.ts';
import { type Clock, ProbeRun } from '../probes/probe-run.ts';
import { readVfioDevices } from '../targets/devices.ts';
import type { Target } from '../targets/target.ts';
import type { Recording } from './recording.ts';
import type { Refusal } from './refusal.ts';
import { Session, unknownRun } from './session.ts';
import type { SessionSource, Tracing } from './tracing.ts';

/** What a tracer is made of. */
export type TracerOptions = {
  readonly targets: readonly Target[];
  readonly probes: readonly CataloguedProbe[];
  readonly clock: Clock;
  /** Begins to write a session down, before anything was traced in it. */
  readonly record?: ((session: SessionSource, probes: readonly CataloguedProbe[]) => Recording) | undefined;
};

export class Tracer implements Tracing {
  private readonly options: TracerOptions;
  private readonly known: Target[];
  private readonly sessionOf = new Map<string, Promise<Session>>();
  private readonly opened: Session[] = [];
  private readonly capabilities = new WeakMap<
    Target,
    { readonly atMs: number; readonly answer: Promise<TargetCapabilities> }
  >();

  constructor(options: TracerOptions) {
    this.options = options;
    this.known = [...options.targets];
  }

  /** The probes with their folders. */
  get catalogue(): readonly CataloguedProbe[] {
    return this.options.probes;
  }

  async targets(): Promise<readonly TargetView[]> {
    return Promise.all(this.known.map(async (target) => (await this.open(target)).targetView()));
  }

  addTarget(target: Target): Result<void, Refusal> {
    if (this.known.some((one) => one.id === target.id)) {
      const message = `there is a target ${target.id} already`;
      return err({ kind: 'target-problem', message, remedy: 'Remove it first, or give the new one another name.' });
    }
    if (this.known.length >= targetsMax) {
      const message = `${targetsMax} targets are known already`;
      return err({ kind: 'target-problem', message, remedy: 'Remove one first.' });
    }
    this.known.push(target);
    return ok(undefined);
  }

  async removeTarget(targetId: string): Promise<Result<void, Refusal>> {
    const target = this.findTarget(targetId);
    if (!target.ok) return target;
    this.known.splice(this.known.indexOf(target.value), 1);
    const session = await this.sessionOf.get(targetId);
    this.sessionOf.delete(targetId);
    // The session disposes of its target, after its runs have ended.
    if (session === undefined) await target.value[Symbol.asyncDispose]();
    else {
      await session[Symbol.asyncDispose]();
      this.opened.splice(this.opened.indexOf(session), 1);
    }
    return ok(undefined);
  }

  probes(): readonly ProbeManifest[] {
    return this.options.probes.map((probe) => probe.manifest);
  }

  async preflight(targetId: string): Promise<Result<Preflight, Refusal>> {
    const target = this.findTarget(targetId);
    if (!target.ok) return target;
    const reached = await this.reach(target.value);
    if (!reached.ok) return reached;
    const session = this.opened.find((one) => one.target.id === targetId);
    const own = (session?.runs ?? []).flatMap((run) => run.view().bpftracePid ?? []);
    return ok(await preflight(target.value, this.probes(), own));
  }

  async devices(targetId: string): Promise<Result<readonly VfioDevice[], Refusal>> {
    const target = this.findTarget(targetId);
    if (!target.ok) return target;
    const devices = await readVfioDevices(target.value);
    if (devices.ok) return devices;
    return err({ kind: 'target-problem', message: devices.error.message, remedy: 'Look at the target.' });
  }

  async plans(targetId: string): Promise<Result<readonly Plan[], Refusal>> {
    const target = this.findTarget(targetId);
    if (!target.ok) return target;
    const reached = await this.reach(target.value);
    return reached.ok ? ok(await planAll(target.value, this.options.probes)) : reached;
  }

  async startRun(request: StartRun): Promise<Result<RunView, Refusal>> {
    const target = this.findTarget(request.targetId);
    if (!target.ok) return target;
    const found = this.findStream(request);
    if (!found.ok) return found;
    const { probe, stream } = found.value;
    const parameters = checkParameters(stream, request.parameters ?? {});
    if (!parameters.ok) return parameters;
    const session = await this.reach(target.value);
    if (!session.ok) return session;
    const plan = await planStream(target.value, await this.capabilitiesOf(target.value), probe, stream);
    const variant = stream.variants.find((one) => one.name === plan.chosen);
    if (variant === undefined) return err(noVariant(plan));
    const script = await target.value.placeScript(join(probe.folder, variant.script));
    if (!script.ok)
      return err({ kind: 'target-problem', message: script.error.message, remedy: 'Look at the target.' });
    const identity = await target.value.identity();
    // No await from here on: two requests at once must not both find the place free.
    const refusal = this.refuseBeside(session.value, probe.manifest.name, stream);
    if (refusal !== undefined) return err(refusal);
    const run = new ProbeRun(
      target.value,
      {
        id: randomUUID(),
        index: session.value.runs.length,
        probe: probe.manifest.name,
        stream,
        variant,
        script: script.value,
        parameters: parameters.value,
        bpftraceVersion: identity.ok ? identity.value.bpftraceVersion : undefined,
      },
      this.options.clock,
    );
    session.value.add(run);
    return ok(run.view());
  }

  async stopRun(runId: string): Promise<Result<RunView, Refusal>> {
    const run = this.opened.flatMap((session) => session.runs).find((one) => one.spec.id === runId);
    if (run === undefined) return err(unknownRun(runId));
    if (run.isEnded)
      return err({ kind: 'not-running', message: 'this run has ended already', remedy: 'Start a new one.' });
    await run.stop();
    return ok(run.view());
  }

  runs(): readonly RunView[] {
    return this.opened.flatMap((session) => session.runs.map((run) => run.view()));
  }

  sessions(): readonly SessionSource[] {
    return this.opened;
  }

  async session(targetId: string): Promise<Result<SessionSource, Refusal>> {
    const target = this.findTarget(targetId);
    return target.ok ? ok(await this.open(target.value)) : target;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const sessions = await Promise.all(this.sessionOf.values());
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()));
    // A target nobody looked at has no session that would dispose of it.
    const unseen = this.known.filter((target) => !this.sessionOf.has(target.id));
    await Promise.all(unseen.map((target) => target[Symbol.asyncDispose]()));
  }

  /** The session of a target that can be asked. Of one that is gone every look would say that nothing is there. */
  private async reach(target: Target): Promise<Result<Session, Refusal>> {
    const session = await this.open(target);
    const { problem } = session.targetView();
    if (problem === undefined) return ok(session);
    const remedy = 'See that it can be reached, then add it again, or start Faultline anew.';
    return err({ kind: 'target-problem', message: problem, remedy });
  }

  private open(target: Target): Promise<Session> {
    const known = this.sessionOf.get(target.id);
    if (known !== undefined) return known;
    const opening = target.identity().then((identity) => {
      const session = new Session(target, identity, this.options.clock);
      session.recording = this.options.record?.(session, this.options.probes);
      this.opened.push(session);
      return session;
    });
    this.sessionOf.set(target.id, opening);
    return opening;
  }

  /** Several streams are started at once, as a rule: the target is looked at once for all of them. */
  private capabilitiesOf(target: Target): Promise<TargetCapabilities> {
    const nowMs = this.options.clock();
    const known = this.capabilities.get(target);
    if (known !== undefined && nowMs - known.atMs < capabilitiesAgeMaxMs) return known.answer;
    const answer = readCapabilities(target);
    this.capabilities.set(target, { atMs: nowMs, answer });
    return answer;
  }

  /** What a target can do is looked at anew by the next run: its modules have been changed. */
  forgetCapabilities(target: Target): void {
    this.capabilities.delete(target);
  }

  /** The target of that name; an error names those that are there. */
  findTarget(targetId: string): Result<Target, Refusal> {
    const target = this.known.find((one) => one.id === targetId);
    if (target !== undefined) return ok(target);
    const ids = this.known.map((one) => one.id).join(', ');
    return err({ kind: 'unknown-target', message: `there is no target ${targetId}`, remedy: `Targets here: ${ids}.` });
  }

  private findStream(request: StartRun): Result<{ probe: CataloguedProbe; stream: Stream }, Refusal> {
    const probe = this.options.probes.find((one) => one.manifest.name === request.probe);
    if (probe === undefined) {
      const names = this.options.probes.map((one) => one.manifest.name).join(', ');
      return err({
        kind: 'unknown-probe',
        message: `there is no probe ${request.probe}`,
        remedy: `Probes here: ${names}.`,
      });
    }
    const { streams } = probe.manifest;
    const stream =
      request.stream === undefined
        ? streamsMeantBy(probe.manifest)[0]
        : streams.find((one) => one.name === request.stream);
    if (stream !== undefined) return ok({ probe, stream });
    const message = `probe ${request.probe} has no stream ${request.stream ?? 'that is its default'}`;
    return err({
      kind: 'unknown-stream',
      message,
      remedy: `Its streams: ${streams.map((one) => one.name).join(', ')}.`,
    });
  }

  private refuseBeside(session: Session, probe: string, stream: Stream): Refusal | undefined {
    const alive = session.runs.filter((run) => !run.isEnded);
    const rival = alive.find(
      (run) =>
        run.spec.probe === probe &&
        (run.spec.stream.name === stream.name ||
          stream.insteadOf.includes(run.spec.stream.name) ||
          run.spec.stream.insteadOf.includes(stream.name)),
    );
    if (rival !== undefined) {
      const message = `${probe} ${rival.spec.stream.name} is running already and counts the same events`;
      return { kind: 'already-running', message, remedy: 'Stop it first.' };
    }
    if (alive.length < runsPerTargetMax && !session.isFull) return undefined;
    const message = session.isFull
      ? 'this session has had as many runs as it remembers'
      : `${alive.length} runs are alive on this target`;
    return { kind: 'too-many-runs', message, remedy: session.isFull ? 'Start Faultline anew.' : 'Stop one first.' };
  }
}

function noVariant(plan: Plan): Refusal {
  // Many lack the same; which lacks what is in the plan.
  const reasons = [...new Set(plan.variants.flatMap((variant) => variant.reasons))].join('; ');
  return {
    kind: 'no-variant',
    message: `${plan.probe} ${plan.stream} can't attach on this target with any of its ${plan.variants.length} scripts: ${reasons}`,
    remedy: 'See what is missing with faultline doctor, or on the Probes page.',
  };
}

/** Every parameter with its value, checked against its bounds; an unknown name is refused. */
function checkParameters(
  stream: Stream,
  given: Readonly<Record<string, number>>,
): Result<Record<string, number>, Refusal> {
  const names = stream.parameters.map((one) => one.name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const message = `stream ${stream.name} has no parameter ${unknown}`;
    return err({
      kind: 'bad-parameter',
      message,
      remedy: names.length === 0 ? 'It has none.' : `It has: ${names.join(', ')}.`,
    });
  }
  const values: Record<string, number> = {};
  for (const parameter of stream.parameters) {
    const value = given[parameter.name] ?? parameter.default;
    if (!Number.isSafeInteger(value) || value < parameter.minimum || value > parameter.maximum) {
      const message = `parameter ${parameter.name} is ${value}`;
      return err({
        kind: 'bad-parameter',
        message,
        remedy: `An integer from ${parameter.minimum} to ${parameter.maximum} is wanted.`,
      });
    }
    values[parameter.name] = value;
  }
  return ok(values);
}
