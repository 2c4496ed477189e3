/** Chrome's trace event format, which Perfetto, chrome://tracing and speedscope read. Times in µs since the session began. */
import type { SessionManifest } from '@faultline/shared';
import { type ExportSource, Pieces } from './source.ts';
import { kernelTimeOf, type Rate, type TimelineCall, type TimelineItem, timelineOf } from './timeline.ts';

/** Counters as rates by their first dimension, calls as asynchronous slices (they overlap), marks and losses as instants. */
export async function* exportChromeJson(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const pieces = new Pieces();
  const trace = new ChromeTrace(manifest);
  yield `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData(manifest))},"traceEvents":[\n`;
  yield trace.head();
  for await (const item of timelineOf(source)) {
    for (const one of trace.events(item)) {
      const piece = pieces.add(`,\n${JSON.stringify(one)}`);
      if (piece !== undefined) yield piece;
    }
  }
  yield `${pieces.take()}\n]}\n`;
}

function otherData({ id, name, label, faultline, target, ledger }: SessionManifest): object {
  return {
    session: id,
    name,
    label,
    faultline,
    kernel: target.identity?.release,
    machine: target.identity?.machine,
    ledger,
  };
}

class ChromeTrace {
  private readonly manifest: SessionManifest;
  private readonly streams: { readonly probe: string; readonly name: string }[] = [];
  private callCount = 0;
  private readonly baseNs: number;

  constructor(manifest: SessionManifest) {
    this.manifest = manifest;
    const ready = manifest.runs.flatMap(({ view }) => view.readyNs ?? []);
    this.baseNs = ready.length === 0 ? 0 : Math.min(...ready);
  }

  /** Names of processes, and the marks. */
  head(): string {
    const { runs, marks, notes, target } = this.manifest;
    const names = runs.map(({ view }) => ({
      name: 'process_name',
      ph: 'M',
      pid: view.index,
      args: { name: `${view.probe} ${view.stream} (${target.title})` },
    }));
    const instants = marks.flatMap(({ atMs, text }) => {
      const atNs = kernelTimeOf(this.manifest, atMs);
      return atNs === undefined ? [] : [{ name: text, ph: 'i', s: 'g', pid: 0, tid: 0, ts: this.us(atNs) }];
    });
    const written = notes.length === 0 ? {} : { notes: notes.map(({ text }) => text).join('\n') };
    const first = { name: 'faultline', ph: 'M', pid: 0, args: { name: this.manifest.id, ...written } };
    return [first, ...names, ...instants].map((one) => JSON.stringify(one)).join(',\n');
  }

  *events(item: TimelineItem): Generator<object> {
    switch (item.kind) {
      case 'run':
        this.streams.push({ probe: item.probe, name: item.stream.name });
        return;
      case 'rates':
        for (const [name, args] of countersOf(item.rates))
          yield { name: `${name}/s`, ph: 'C', pid: item.run, ts: this.us(item.fromNs), args };
        return;
      case 'call':
        yield* this.call(item.run, item.call);
        return;
      case 'lost':
        yield {
          name: 'events lost',
          ph: 'i',
          s: 'p',
          pid: item.run,
          tid: 0,
          ts: this.us(item.atNs),
          args: item.stages,
        };
        return;
      // Counters show them without their stacks, which this format has no place for.
      case 'stack':
      case 'end':
        return;
    }
  }

  private *call(run: number, { fromNs, parts, tid, comm, args }: TimelineCall): Generator<object> {
    const { probe, name: stream } = this.streams[run] ?? { probe: '', name: '' };
    const common = { name: comm ?? stream, cat: `${probe}:${stream}`, pid: run, tid: tid ?? 0 };
    this.callCount += 1;
    if (parts.length === 0) {
      yield { ...common, ph: 'i', s: 't', ts: this.us(fromNs), args };
      return;
    }
    const id = this.callCount;
    const lastedNs = parts.reduce((sum, part) => sum + part.lastedNs, 0);
    yield { ...common, ph: 'b', id, ts: this.us(fromNs), args };
    yield { ...common, ph: 'e', id, ts: this.us(fromNs + lastedNs) };
  }

  /** Doubles hold µs since the session's beginning to the ns for months; since the epoch they would not. */
  private us(ns: number): number {
    return Math.round(ns - this.baseNs) / 1000;
  }
}

/** By metric: the series of its first dimension. */
function countersOf(rates: readonly Rate[]): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const counters = new Map<string, Record<string, number>>();
  for (const { metric, word, isFirst, perSec } of rates) {
    if (!isFirst) continue;
    const known = counters.get(metric);
    if (known === undefined) counters.set(metric, { [word]: perSec });
    else known[word] = perSec;
  }
  return counters;
}
