/** Chrome's trace event format, which Perfetto, chrome://tracing and speedscope read. Times in µs since the session began. */
import type { SessionManifest, Stream } from '@faultline/shared';
import type { TickSlice } from '../sessions/tick.ts';
import { callValue } from './rows.ts';
import { type ExportSource, Pieces } from './source.ts';

/** Counters as rates by their first dimension, calls as asynchronous slices (they overlap), marks as instants. */
export async function* exportChromeJson(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const pieces = new Pieces();
  const trace = new ChromeTrace(manifest);
  yield `{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData(manifest))},"traceEvents":[\n`;
  yield trace.head();
  for await (const event of source.events()) {
    if (event.kind === 'run') trace.addRun(event.run.view.probe, event.run.stream);
    if (event.kind !== 'tick') continue;
    for (const slice of event.tick.slices) {
      for (const one of trace.slice(slice)) {
        const piece = pieces.add(`,\n${JSON.stringify(one)}`);
        if (piece !== undefined) yield piece;
      }
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

type Run = {
  readonly probe: string;
  readonly stream: Stream;
  /** By cell: the counter it belongs to and the series in it; undefined for what is no rate. */
  readonly cells: (readonly [counter: string, series: string] | undefined)[];
  readonly texts: string[];
};

class ChromeTrace {
  private readonly manifest: SessionManifest;
  private readonly runs: Run[] = [];
  private callCount = 0;
  private baseNs: number;

  constructor(manifest: SessionManifest) {
    this.manifest = manifest;
    const ready = manifest.runs.flatMap(({ view }) => view.readyNs ?? []);
    this.baseNs = ready.length === 0 ? 0 : Math.min(...ready);
  }

  /** Names of processes, and the marks. */
  head(): string {
    const { runs, marks, target } = this.manifest;
    const names = runs.map(({ view }) => ({
      name: 'process_name',
      ph: 'M',
      pid: view.index,
      args: { name: `${view.probe} ${view.stream} (${target.title})` },
    }));
    const ready = runs.find(({ view }) => view.readyAtMs !== undefined && view.readyNs !== undefined)?.view;
    const instants = marks.map(({ atMs, text }) => ({
      name: text,
      ph: 'i',
      s: 'g',
      pid: 0,
      tid: 0,
      ts: this.us((ready?.readyNs ?? 0) + (atMs - (ready?.readyAtMs ?? this.manifest.createdAtMs)) * 1e6),
    }));
    const first = { name: 'faultline', ph: 'M', pid: 0, args: { name: this.manifest.id } };
    return [first, ...names, ...instants].map((one) => JSON.stringify(one)).join(',\n');
  }

  addRun(probe: string, stream: Stream): void {
    this.runs.push({ probe, stream, cells: [], texts: [] });
  }

  *slice(slice: TickSlice): Generator<object> {
    const run = this.runs[slice.run];
    if (run === undefined) return;
    for (const text of slice.newTexts) run.texts.push(text);
    for (const { metric, dims } of slice.newCells) {
      const spec = run.stream.maps.find((one) => one.metric === metric);
      const [series = 'all'] = Object.values(dims).map(String);
      run.cells.push(spec?.kind === 'count' ? [metric, series] : undefined);
    }
    yield* this.rates(run, slice);
    yield* this.calls(run, slice);
  }

  private *rates(run: Run, slice: TickSlice): Generator<object> {
    const seconds = (slice.toNs - slice.fromNs) / 1e9;
    if (seconds <= 0) return;
    const counters = new Map<string, Record<string, number>>();
    // A series that fell silent is 0, not what it was.
    for (const known of run.cells) if (known !== undefined) seriesOf(counters, known[0])[known[1]] = 0;
    for (const [at, cell] of slice.cells.entries()) {
      const known = run.cells[cell];
      if (known === undefined) continue;
      const series = seriesOf(counters, known[0]);
      series[known[1]] = (series[known[1]] ?? 0) + (slice.deltas[at] ?? 0) / seconds;
    }
    for (const [name, args] of counters)
      yield { name: `${name}/s`, ph: 'C', pid: slice.run, ts: this.us(slice.fromNs), args };
  }

  private *calls(run: Run, slice: TickSlice): Generator<object> {
    const { columns } = run.stream;
    const timeAt = columns.findIndex(({ type }) => type === 'timeNs');
    const durationsAt = durationColumns(run.stream);
    const place = (name: string): number => columns.findIndex((column) => column.name === name);
    const [tidAt, commAt] = [place('tid'), place('comm')];
    const isEnd = columns[timeAt]?.name.startsWith('ended') === true;
    for (let call = 0; call < slice.callCount; call += 1) {
      const atNs = slice.calls[timeAt]?.[call] ?? slice.toNs;
      const lastedNs = durationsAt.reduce((sum, position) => sum + (slice.calls[position]?.[call] ?? 0), 0);
      const fromNs = isEnd ? atNs - lastedNs : atNs;
      const args = Object.fromEntries(
        columns.map((column, position) => [
          column.name,
          callValue(column, slice.calls[position]?.[call] ?? 0, run.texts),
        ]),
      );
      this.callCount += 1;
      const name = String(args[columns[commAt]?.name ?? ''] ?? run.stream.name);
      const common = {
        name,
        cat: `${run.probe}:${run.stream.name}`,
        pid: slice.run,
        tid: slice.calls[tidAt]?.[call] ?? 0,
      };
      if (durationsAt.length === 0) {
        yield { ...common, ph: 'i', s: 't', ts: this.us(atNs), args };
        continue;
      }
      const id = this.callCount;
      yield { ...common, ph: 'b', id, ts: this.us(fromNs), args };
      yield { ...common, ph: 'e', id, ts: this.us(fromNs + lastedNs) };
    }
  }

  /** Doubles hold µs since the session's beginning to the ns for months; since the epoch they would not. */
  private us(ns: number): number {
    return Math.round(ns - this.baseNs) / 1000;
  }
}

/** How long a call took: its latency, or its wait and its hold one after the other. */
function durationColumns({ columns }: Stream): readonly number[] {
  const at = (name: string): readonly number[] => {
    const position = columns.findIndex((column) => column.name === name);
    return position === -1 ? [] : [position];
  };
  const ownNs = at('latencyNs');
  return ownNs.length > 0 ? ownNs : [...at('waitNs'), ...at('holdNs')];
}

function seriesOf(counters: Map<string, Record<string, number>>, counter: string): Record<string, number> {
  const known = counters.get(counter);
  if (known !== undefined) return known;
  const made: Record<string, number> = {};
  counters.set(counter, made);
  return made;
}
