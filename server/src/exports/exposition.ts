/** OpenMetrics text: counters, and latencies as histograms by octave. Never a label for a process or a stack. */
import {
  bucketHigh,
  type CellEntry,
  type Dims,
  type Ledger,
  type MapSpec,
  metricSpecs,
  type Stream,
} from '@faultline/shared';

type Series = { readonly labels: string; value: number; readonly octaves: Map<number, number> };
type Family = {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  readonly title: string;
  readonly unit: string;
  readonly series: Map<string, Series>;
};

/** One run's part: `labels` are those of its target, where there is more than one. */
export type ExposedRun = {
  readonly labels: Readonly<Record<string, string>>;
  readonly probe: string;
  readonly stream: Stream;
  readonly cells: readonly CellEntry[];
  readonly totals: ArrayLike<number>;
  readonly ledger: Ledger;
};

/** The octaves that every histogram has, whether there is anything in them or not: from 31 ns to 68 s, powers of two. */
const [octaveMin, octaveMax] = [5, 36];

/** Gathers families, so that all series of one stand together, as the format demands. */
export class Exposition {
  private readonly families = new Map<string, Family>();

  /** What a thing is, in labels. */
  addInfo(name: string, title: string, labels: Readonly<Record<string, string>>): void {
    seriesOf(this.family(name, { type: 'info', title, unit: '' }), labels).value = 1;
  }

  /** The totals and the ledger of a run; runs of the same labels add up. */
  addRun(run: ExposedRun): void {
    for (const spec of metricSpecs(run.stream)) this.addMap(run, spec);
    const title = 'Where every event went, stage by stage.';
    const family = this.family('faultline_ledger_events', { type: 'counter', title, unit: '' });
    const labels = { ...run.labels, probe: run.probe, stream: run.stream.name };
    for (const [stage, value] of Object.entries(run.ledger)) {
      if (stage === 'linesCount' || stage === 'bytesCount') continue;
      seriesOf(family, { ...labels, stage: stage.replace(/Count$/, '') }).value += value;
    }
  }

  /** The whole of it, with its end mark. Times are in seconds, as the format wants them. */
  *text(): Generator<string> {
    for (const [name, family] of this.families) if (family.series.size > 0) yield describe(name, family);
    yield '# EOF\n';
  }

  private addMap({ labels, probe, stream, cells, totals }: ExposedRun, spec: MapSpec): void {
    const unit = unitWords[spec.unit] ?? '';
    const types = { count: 'counter', sum: 'counter', max: 'gauge', buckets: 'histogram' } as const;
    const name = ['faultline', snake(probe), snake(spec.metric), ...(unit === '' ? [] : [unit])].join('_');
    const family = this.family(name, { type: types[spec.kind], title: spec.title, unit });
    const shown = shownDimensions(spec);
    for (const { cell, metric, dims } of cells) {
      if (metric !== spec.metric) continue;
      const value = totals[cell] ?? 0;
      const words = shown.flatMap((dimension) => {
        const word = dims[dimension];
        return word === undefined ? [] : [[dimension, word] as const];
      });
      const series = seriesOf(family, { ...labels, stream: stream.name, ...Object.fromEntries(words) });
      if (spec.kind === 'buckets') {
        const octave = octaveOf(Number(dims['bucket']));
        series.octaves.set(octave, (series.octaves.get(octave) ?? 0) + value);
      } else if (spec.kind === 'max') series.value = Math.max(series.value, value);
      else series.value += value;
    }
  }

  private family(name: string, facts: Omit<Family, 'series'>): Family {
    const known = this.families.get(name);
    if (known !== undefined) return known;
    const made = { ...facts, series: new Map<string, Series>() };
    this.families.set(name, made);
    return made;
  }
}

/** Units as the format calls them; counts have none. */
const unitWords: Readonly<Partial<Record<MapSpec['unit'], string>>> = { ns: 'seconds', bytes: 'bytes' };

/** Words and small numbers of a key: never a text, a stack, or what tells processes apart. */
function shownDimensions({ key }: MapSpec): readonly string[] {
  const names = key.flatMap((part) => {
    if (part.kind === 'packed') return part.fields.map(({ name }) => name);
    return part.kind === 'enum' || part.kind === 'uint' ? [part.name] : [];
  });
  return names.filter((name) => name !== 'pid' && name !== 'tid');
}

function seriesOf({ series }: Family, dims: Dims): Series {
  const labels = labelsOf(dims);
  const known = series.get(labels);
  if (known !== undefined) return known;
  const made = { labels, value: 0, octaves: new Map<number, number>() };
  series.set(labels, made);
  return made;
}

const suffixes = { counter: '_total', info: '_info', gauge: '', histogram: '' } as const;

function describe(name: string, { type, title, unit, series }: Family): string {
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit === '' ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escapeHelp(title)}`,
  ];
  const scale = unit === 'seconds' ? 1e9 : 1;
  for (const one of series.values()) {
    if (type === 'histogram') lines.push(...histogram(name, one, scale));
    else lines.push(`${name}${suffixes[type]}${one.labels} ${one.value / scale}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Buckets never straddle an octave, so that these counts are exact. All histograms have the same, so that they add up. */
function histogram(name: string, { labels, octaves }: Series, scale: number): readonly string[] {
  const counts = [...octaves];
  const upTo = (octaveLast: number): number =>
    counts.reduce((sum, [octave, count]) => (octave <= octaveLast ? sum + count : sum), 0);
  const bounds = Array.from({ length: octaveMax - octaveMin + 1 }, (_, at) => octaveMin + at);
  const lines = bounds.map(
    (octave) => `${name}_bucket${withLabel(labels, 'le', String((2 ** octave - 1) / scale))} ${upTo(octave)}`,
  );
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return [...lines, `${name}_bucket${withLabel(labels, 'le', '+Inf')} ${all}`, `${name}_count${labels} ${all}`];
}

/** The octave in which a bucket ends: all its values are below 2 to that power. */
function octaveOf(bucket: number): number {
  return Math.ceil(Math.log2(Math.max(1, bucketHigh(bucket))));
}

function labelsOf(dims: Dims): string {
  const pairs = Object.entries(dims).map(([name, value]) => `${snake(name)}="${escapeLabel(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function withLabel(labels: string, name: string, value: string): string {
  const pair = `${name}="${value}"`;
  return labels === '' ? `{${pair}}` : `${labels.slice(0, -1)},${pair}}`;
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll(/[^a-z0-9_]/g, '_');
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
