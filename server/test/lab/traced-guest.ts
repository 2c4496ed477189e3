/** A lab guest with the fault path traced, and the counts that one workload adds to it. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bootGuest, cacheFolder, type Guest } from '@faultline/lab';
import { type Dims, ensure, type RunView } from '@faultline/shared';
import { fileURLToPath } from 'node:url';
import { chooseStreams } from '../../src/cli/arguments.ts';
import { type OpenGuest, openGuest } from '../../src/lab/open-guest.ts';
import { runWorkload, type WorkloadEnd, type WorkloadRequest } from '../../src/lab/workload.ts';
import { readCatalogue } from '../../src/probes/catalogue.ts';
import type { SessionSource } from '../../src/sessions/tracing.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { until } from '../until.ts';

const mib = 1024 * 1024;

/** What a workload said it did: its last line. */
export type Truth = Readonly<Record<string, number | string | boolean>>;
type Total = { readonly key: string; readonly metric: string; readonly dims: Dims; readonly value: number };

/** What was counted while one workload ran. */
export type Counted = {
  readonly truth: Truth;
  /** Sum over all cells of a probe's metric whose dims hold these words. */
  readonly sum: (probe: string, metric: string, dims?: Dims) => number;
  /** The cells of a metric that grew. */
  readonly cells: (probe: string, metric: string) => readonly Total[];
};

/** A guest with nothing traced in it; throws what the lab says when it can't be had. */
export async function bootBare(kernel: string, barBytes = 64 * mib): Promise<Guest> {
  const request = { kernel, barBytes, bpftrace: 'bpftrace', heldKey: 'bare', start: 'fastest' } as const;
  const guest = await bootGuest(request, () => undefined, undefined);
  if (!guest.ok) throw new Error(guest.error.message);
  return guest.value;
}

/** The unpacked package of 6.1, which other tests have brought. */
export function kernelFolder(): string {
  const packages = join(cacheFolder(), 'packages');
  const name = readdirSync(packages).find((one) => /^linux-image-6\.1\.0-\d+-amd64_/.test(one));
  return join(packages, ensure(name, '6.1 was booted before'), 'root');
}

export class TracedGuest implements AsyncDisposable {
  readonly tracer: Tracer;
  readonly open: OpenGuest;
  readonly session: SessionSource;
  private readonly barBytes: number;

  private constructor(tracer: Tracer, open: OpenGuest, session: SessionSource, barBytes: number) {
    this.tracer = tracer;
    this.open = open;
    this.session = session;
    this.barBytes = barBytes;
  }

  /** Boots (or restores) and attaches; throws what the lab says when it can't. */
  static async start(kernel: string, probes: string, barBytes = 64 * mib, bpftrace = 'bpftrace'): Promise<TracedGuest> {
    const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
    if (!catalogue.ok) throw new Error(catalogue.error.message);
    const tracer = new Tracer({ targets: [], probes: catalogue.value, clock: () => Date.now() });
    const runs = chooseStreams({ targetId: '', probes, parameters: [] }, tracer.probes());
    if (!runs.ok) throw new Error(runs.error.message);
    const request = { kernel, barBytes, bpftrace, targetId: `lab-${kernel}`, start: 'fastest' as const };
    const open = await openGuest(tracer, catalogue.value, { ...request, runs: runs.value }, () => undefined, undefined);
    if (!open.ok) throw new Error(open.error.message);
    const session = await tracer.session(`lab-${kernel}`);
    if (!session.ok) throw new Error(session.error.message);
    return new TracedGuest(tracer, open.value, session.value, barBytes);
  }

  get runs(): readonly RunView[] {
    return this.tracer.runs();
  }

  /** Waits until a run that was started later is attached; throws when it fails. */
  async untilRunning(id: string): Promise<void> {
    const state = (): string | undefined => this.runs.find((run) => run.id === id)?.state;
    await until(() => state() !== 'starting', 60_000);
    if (state() !== 'running') throw new Error(JSON.stringify(this.runs.find((run) => run.id === id)?.failure));
  }

  /** Runs a workload and waits until every stream has reported a moment after its end. */
  async count(request: Partial<WorkloadRequest> & { readonly workload: string }): Promise<Counted> {
    const { end, counted: all } = await this.countUntil(request, (running) => this.settled(running));
    if (end.kind !== 'done') throw new Error(`${request.workload}: ${end.problem ?? end.kind}`);
    const truth = JSON.parse(ensure(end.lines.at(-1), 'a workload prints a last line')) as Truth;
    return { ...all, truth };
  }

  /** A workload's end, once every stream has reported a moment after it. Throws where the guest died of it. */
  async settled(running: Promise<WorkloadEnd>): Promise<WorkloadEnd> {
    const end = await running;
    const clock = await this.open.target.guest.machine.agent.clockNs();
    if (!clock.ok) throw new Error(JSON.stringify(clock.error));
    const endedNs = Number(clock.value);
    await until(() => this.runs.every(({ lastNs, state }) => state !== 'running' || (lastNs ?? 0) > endedNs), 60_000);
    return end;
  }

  /** What was counted until something has happened, for a workload that fails or never ends; its truth is empty. */
  async countUntil<T>(
    request: Partial<WorkloadRequest> & { readonly workload: string },
    ended: (running: Promise<WorkloadEnd>) => Promise<T>,
  ): Promise<{ readonly end: T; readonly counted: Counted }> {
    const before = this.totals();
    const whole = { barBytes: this.barBytes, isMisaligned: false, repetitions: 1, threads: undefined, ...request };
    const end = await ended(runWorkload(this.open.target, whole, () => undefined, undefined));
    return { end, counted: counted({}, before, this.totals()) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tracer[Symbol.asyncDispose]();
  }

  private totals(): ReadonlyMap<string, Total & { readonly probe: string }> {
    const all = new Map<string, Total & { readonly probe: string }>();
    for (const { run, totals, distributions } of this.session.summary().runs) {
      for (const { metric, dims, value } of totals) {
        const key = JSON.stringify([run.probe, metric, dims]);
        all.set(key, { key, probe: run.probe, metric, dims, value: value + (all.get(key)?.value ?? 0) });
      }
      for (const { metric, dims, count } of distributions) {
        const key = JSON.stringify([run.probe, metric, dims]);
        all.set(key, { key, probe: run.probe, metric, dims, value: count });
      }
    }
    return all;
  }
}

type Totals = ReadonlyMap<string, Total & { readonly probe: string }>;

function counted(truth: Truth, before: Totals, after: Totals): Counted {
  const grown = [...after.values()]
    .map((total) => ({ ...total, value: total.value - (before.get(total.key)?.value ?? 0) }))
    .filter(({ value }) => value !== 0);
  const cells: Counted['cells'] = (probe, metric) =>
    grown.filter((one) => one.probe === probe && one.metric === metric);
  return {
    truth,
    cells,
    sum: (probe, metric, dims = {}) =>
      cells(probe, metric)
        .filter((one) => Object.entries(dims).every(([name, word]) => one.dims[name] === word))
        .reduce((sum, { value }) => sum + value, 0),
  };
}
