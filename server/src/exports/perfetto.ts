/** A Perfetto trace: tracks by process and thread, rates as counters, what was counted by stack with its callstack. */
import { exportLanesMax, type SessionManifest, type Stream } from '@faultline/shared';
import { PacketSequence, PerfettoBytes } from './perfetto-packets.ts';
import type { ExportSource } from './source.ts';
import { kernelTimeOf, type Rate, type TimelineCall, type TimelineItem, timelineOf } from './timeline.ts';

/** A piece is worth a write from this size on, bytes. */
const pieceBytesMin = 64 * 1024;

/** Times are those of the kernel's boot clock, with one snapshot of it beside the wall clock. */
export async function* exportPerfetto(source: ExportSource): AsyncGenerator<Uint8Array> {
  const bytes = new PerfettoBytes();
  yield* written(source, new PerfettoTrace(source.manifest, bytes, alone()), bytes);
}

/** A run of a comparison, and what its group of tracks is called. */
export type PerfettoRun = { readonly source: ExportSource; readonly name: string };

/**
 * Several sessions in one trace, one after the other: each a process of its own, all from a common zero, which is the beginning of the first
 * snapshot of each. Of several kernels, so without their clocks, processes and threads: those are tracks by name.
 */
export async function* exportPerfettoRuns(runs: readonly PerfettoRun[]): AsyncGenerator<Uint8Array> {
  const bytes = new PerfettoBytes();
  const count = { uuid: 0, sequence: 0 };
  for (const [at, { source, name }] of runs.entries()) {
    const group = { pid: at + 1, name, zeroNs: await beginningOf(source) };
    yield* written(source, new PerfettoTrace(source.manifest, bytes, { count, group }), bytes);
  }
}

async function* written(source: ExportSource, trace: PerfettoTrace, bytes: PerfettoBytes): AsyncGenerator<Uint8Array> {
  trace.begin();
  for await (const item of timelineOf(source)) {
    trace.add(item);
    if (bytes.size >= pieceBytesMin) yield bytes.take();
  }
  yield bytes.take();
}

/** Kernel time of the first snapshot of a session, ns; 0 where it has none. */
async function beginningOf(source: ExportSource): Promise<number> {
  for await (const event of source.events()) {
    const slices = event.kind === 'tick' ? event.tick.slices.filter(({ fromNs }) => fromNs > 0) : [];
    if (slices.length > 0) return Math.min(...slices.map(({ fromNs }) => fromNs));
  }
  return 0;
}

/** Where a session stands in a trace: numbers that are taken, and its group where it is not the only one. */
type Placement = {
  readonly count: { uuid: number; sequence: number };
  readonly group: { readonly pid: number; readonly name: string; readonly zeroNs: number } | undefined;
};

function alone(): Placement {
  return { count: { uuid: 0, sequence: 0 }, group: undefined };
}

/** A run, with a sequence of packets of its own: what it lost says nothing of others. */
type Run = {
  readonly sequence: PacketSequence;
  readonly category: string;
  readonly probe: string;
  readonly stream: Stream;
  readonly uuid: number;
  /** By metric, dimension and word. */
  readonly counters: Map<string, { readonly uuid: number; perSec: number }>;
  /** Tracks of its calls by thread. */
  readonly lanes: Map<string, Lane[]>;
  readonly stackTracks: Map<string, number>;
};

/** Slices of a track must not overlap: a call that does goes on the thread's next one. */
type Lane = { readonly uuid: number; toNs: number };

class PerfettoTrace {
  private readonly manifest: SessionManifest;
  private readonly bytes: PerfettoBytes;
  private readonly own: PacketSequence;
  private readonly runs: Run[] = [];
  private readonly processes = new Map<number, number>();
  private readonly threads = new Map<string, number>();
  private readonly place: Placement;
  /** The track that all others stand under. */
  private root: number | undefined;

  constructor(manifest: SessionManifest, bytes: PerfettoBytes, place: Placement) {
    this.manifest = manifest;
    this.bytes = bytes;
    this.place = place;
    this.own = this.sequence();
  }

  /** Clocks, what the session is, and its marks. */
  begin(): void {
    const { manifest, own } = this;
    const { group } = this.place;
    const beganNs = kernelTimeOf(manifest, manifest.createdAtMs);
    if (group !== undefined) this.root = this.track(own, { process: { pid: group.pid, name: group.name } });
    else if (beganNs !== undefined) own.clocks(beganNs, manifest.createdAtMs * 1e6);
    const uuid = this.track(own, { name: `session ${manifest.name ?? manifest.id}` });
    own.instant(beganNs ?? 0, uuid, { name: 'session', category: 'faultline', args: describe(manifest) });
    if (manifest.marks.length === 0) return;
    const marks = this.track(own, { name: 'marks' });
    for (const { atMs, text } of manifest.marks)
      own.instant(kernelTimeOf(manifest, atMs) ?? 0, marks, { name: text, category: 'mark' });
  }

  add(item: TimelineItem): void {
    if (item.kind === 'run') {
      this.addRun(item.probe, item.stream);
      return;
    }
    const run = this.runs[item.run];
    if (run === undefined) return;
    const { sequence, category } = run;
    switch (item.kind) {
      case 'rates':
        for (const rate of item.rates) this.rate(run, item.fromNs, rate);
        return;
      case 'call':
        this.call(run, item.call);
        return;
      case 'stack': {
        const { metric, count, dims, frames } = item;
        const uuid = this.stackTrack(run, metric);
        const facts = { name: metric, category, args: { count, ...dims }, frames: frames.toReversed() };
        sequence.instant(item.atNs, uuid, facts);
        return;
      }
      case 'lost':
        sequence.lose();
        sequence.instant(item.atNs, run.uuid, { name: 'events lost', category, args: item.stages });
        return;
      case 'end':
        // A rate holds until the next one: the last of all is nothing.
        for (const { uuid, perSec } of run.counters.values()) if (perSec !== 0) sequence.counter(item.atNs, uuid, 0);
        return;
    }
  }

  private addRun(probe: string, stream: Stream): void {
    const sequence = this.sequence();
    this.runs.push({
      sequence,
      category: `${probe}:${stream.name}`,
      probe,
      stream,
      uuid: this.track(sequence, { name: `${probe} ${stream.name}` }),
      counters: new Map(),
      lanes: new Map(),
      stackTracks: new Map(),
    });
  }

  private rate(run: Run, atNs: number, { metric, dimension, word, perSec }: Rate): void {
    const key = `${metric}\n${dimension}\n${word}`;
    let counter = run.counters.get(key);
    if (counter === undefined) {
      const of = dimension === word ? '' : `, ${dimension} ${word}`;
      const name = `${metric}${of} (1/s)`;
      counter = { uuid: this.track(run.sequence, { name, parent: run.uuid, isCounter: true }), perSec: 0 };
      run.counters.set(key, counter);
    } else if (counter.perSec === perSec) return;
    counter.perSec = perSec;
    run.sequence.counter(atNs, counter.uuid, perSec);
  }

  private call(run: Run, call: TimelineCall): void {
    const { sequence, category, stream } = run;
    const { fromNs, parts, args } = call;
    const name = [run.probe, ...(call.words.length === 0 ? [stream.name] : call.words)].join(' ');
    const facts = { name, category, args };
    const toNs = fromNs + parts.reduce((sum, part) => sum + part.lastedNs, 0);
    const lane = this.lane(run, call, toNs);
    if (lane === undefined || parts.length === 0) {
      sequence.instant(fromNs, lane?.uuid ?? run.uuid, facts);
      return;
    }
    sequence.sliceBegin(fromNs, lane.uuid, facts);
    let atNs = fromNs;
    for (const { title, lastedNs } of parts.length > 1 ? parts : []) {
      sequence.sliceBegin(atNs, lane.uuid, { name: title, category });
      atNs += lastedNs;
      sequence.sliceEnd(atNs, lane.uuid);
    }
    sequence.sliceEnd(toNs, lane.uuid);
  }

  /** The thread's first track of this run where the call fits; undefined where there are too many already. */
  private lane(run: Run, { fromNs, pid, tid, comm }: TimelineCall, toNs: number): Lane | undefined {
    const key = `${pid ?? ''} ${tid ?? ''}`;
    const lanes = run.lanes.get(key) ?? [];
    run.lanes.set(key, lanes);
    const free = lanes.find((lane) => lane.toNs <= fromNs);
    if (free !== undefined) {
      free.toNs = toNs;
      return free;
    }
    if (lanes.length >= exportLanesMax) return undefined;
    const parent = tid === undefined ? run.uuid : this.thread(pid ?? tid, tid, comm ?? '');
    const name = `${run.probe} ${run.stream.name}${lanes.length === 0 ? '' : ` (${lanes.length + 1})`}`;
    const made = { uuid: this.track(run.sequence, { name, parent }), toNs };
    lanes.push(made);
    return made;
  }

  private thread(pid: number, tid: number, name: string): number {
    const key = `${pid} ${tid}`;
    const known = this.threads.get(key);
    if (known !== undefined) return known;
    if (this.root !== undefined) {
      const made = this.track(this.own, { name: `${name} ${tid}` });
      this.threads.set(key, made);
      return made;
    }
    if (!this.processes.has(pid)) this.processes.set(pid, this.track(this.own, { process: { pid, name } }));
    const made = this.track(this.own, { thread: { pid, tid, name } });
    this.threads.set(key, made);
    return made;
  }

  private stackTrack(run: Run, metric: string): number {
    const known = run.stackTracks.get(metric);
    if (known !== undefined) return known;
    const made = this.track(run.sequence, { name: metric, parent: run.uuid });
    run.stackTracks.set(metric, made);
    return made;
  }

  private track(sequence: PacketSequence, facts: Omit<Parameters<PacketSequence['track']>[0], 'uuid'>): number {
    const { count } = this.place;
    count.uuid += 1;
    const { uuid } = count;
    sequence.track({ uuid, ...(this.root === undefined ? {} : { parent: this.root }), ...facts });
    return uuid;
  }

  private sequence(): PacketSequence {
    const { count, group } = this.place;
    count.sequence += 1;
    return new PacketSequence(this.bytes, count.sequence, group?.zeroNs);
  }
}

/** What a reader must know of the kernel and of the session. */
function describe(manifest: SessionManifest): Readonly<Record<string, string | number>> {
  const { id, name, label, workload, faultline, target, ledger, notes } = manifest;
  const { identity } = target;
  const facts: Readonly<Record<string, string | number | undefined>> = {
    id,
    name,
    label,
    workload,
    faultline,
    target: target.title,
    badge: target.badge,
    kernel: identity?.release,
    build: identity?.version,
    machine: identity?.machine,
    virtualisation: identity?.isEmulated === true ? 'emulated' : identity?.virtualisation,
    bpftrace: identity?.bpftraceVersion,
    notes: notes.length === 0 ? undefined : notes.map(({ text }) => text).join('\n'),
  };
  const known = Object.entries(facts).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  const config = Object.entries(identity?.config ?? {});
  const stages = Object.entries(ledger).map(([stage, count]) => [`ledger.${stage}`, count] as const);
  return Object.fromEntries([...known, ...config, ...stages]);
}
