/** OpenMetrics text of the totals: counters, and latency buckets by octave. Never a label for a process or a stack. */
import { bucketHigh, type CellEntry, type Dims, type Ledger, type MapSpec } from '@faultline/shared';
import type { ExportSource } from './source.ts';

type Series = { readonly labels: string; value: number; readonly octaves: Map<number, number> };
type Family = {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly title: string;
  readonly unit: string;
  readonly series: Map<string, Series>;
};

/** One exposition, with its end mark. Times are in seconds, as the format wants them. */
export async function* exportOpenMetrics(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const { release = '', machine = '', hostname = '' } = manifest.target.identity ?? {};
  const families = new Map<string, Family>();
  const figures = await source.figures();
  for (const [index, { run }] of figures.runs.entries()) {
    const { cells, totals } = figures.runs[index]?.totalsOf(index) ?? { cells: [], totals: new Float64Array() };
    const { probe, stream } = run.view;
    for (const spec of run.stream.maps) addMetric(families, { probe, stream, spec }, cells, totals);
    addLedger(families, { probe, stream }, run.view.ledger);
  }
  const info = labelsOf({
    session: manifest.id,
    kernel: release,
    machine,
    host: hostname,
    version: manifest.faultline,
  });
  yield `# TYPE faultline_session info\n# HELP faultline_session The recorded session these totals are of.\nfaultline_session_info${info} 1\n`;
  for (const [name, family] of families) yield describe(name, family);
  yield '# EOF\n';
}

/** Units as the format calls them; counts have none. */
const unitWords: Readonly<Partial<Record<MapSpec['unit'], string>>> = { ns: 'seconds', bytes: 'bytes' };

type Place = { readonly probe: string; readonly stream: string; readonly spec: MapSpec };

function addMetric(
  families: Map<string, Family>,
  place: Place,
  cells: readonly CellEntry[],
  totals: ArrayLike<number>,
): void {
  const { probe, stream, spec } = place;
  const isTime = spec.unit === 'ns';
  const unit = unitWords[spec.unit] ?? '';
  const types = { count: 'counter', sum: 'counter', max: 'gauge', buckets: 'histogram' } as const;
  const name = ['faultline', snake(probe), snake(spec.metric), ...(unit === '' ? [] : [unit])].join('_');
  const family = familyOf(families, name, { type: types[spec.kind], title: spec.title, unit });
  const hidden = new Set(
    spec.key.flatMap((part) => (part.kind === 'text' || part.kind === 'stack' ? [part.name] : [])),
  );
  for (const { cell, metric, dims } of cells) {
    if (metric !== spec.metric) continue;
    const value = totals[cell] ?? 0;
    const { bucket, ...rest } = dims;
    const series = seriesOf(family, { stream, ...visible(rest, hidden) });
    if (spec.kind === 'buckets') {
      const octave = octaveOf(Number(bucket));
      series.octaves.set(octave, (series.octaves.get(octave) ?? 0) + value);
    } else if (spec.kind === 'max') series.value = Math.max(series.value, isTime ? value / 1e9 : value);
    else series.value += isTime ? value / 1e9 : value;
  }
}

function addLedger(families: Map<string, Family>, labels: Dims, ledger: Ledger): void {
  const title = 'Where every event went, stage by stage.';
  const family = familyOf(families, 'faultline_ledger_events', { type: 'counter', title, unit: '' });
  for (const [stage, value] of Object.entries(ledger)) {
    if (stage === 'linesCount' || stage === 'bytesCount') continue;
    seriesOf(family, { ...labels, stage: stage.replace(/Count$/, '') }).value += value;
  }
}

function visible(dims: Dims, hidden: ReadonlySet<string>): Dims {
  return Object.fromEntries(Object.entries(dims).filter(([name]) => !hidden.has(name)));
}

function familyOf(families: Map<string, Family>, name: string, facts: Omit<Family, 'series'>): Family {
  const known = families.get(name);
  if (known !== undefined) return known;
  const made = { ...facts, series: new Map<string, Series>() };
  families.set(name, made);
  return made;
}

function seriesOf({ series }: Family, dims: Dims): Series {
  const labels = labelsOf(dims);
  const known = series.get(labels);
  if (known !== undefined) return known;
  const made = { labels, value: 0, octaves: new Map<number, number>() };
  series.set(labels, made);
  return made;
}

function describe(name: string, { type, title, unit, series }: Family): string {
  const lines = [
    `# TYPE ${name} ${type}`,
    ...(unit === '' ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escapeHelp(title)}`,
  ];
  for (const one of series.values()) {
    if (type === 'histogram') lines.push(...histogram(name, one, unit === 'seconds' ? 1e9 : 1));
    else lines.push(`${name}${type === 'counter' ? '_total' : ''}${one.labels} ${one.value}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Buckets never straddle an octave, so that these counts are exact. */
function histogram(name: string, { labels, octaves }: Series, scale: number): readonly string[] {
  const sorted = [...octaves].toSorted(([left], [right]) => left - right);
  let below = 0;
  const lines = sorted.map(([octave, count]) => {
    below += count;
    return `${name}_bucket${withLabel(labels, 'le', String((2 ** octave - 1) / scale))} ${below}`;
  });
  return [...lines, `${name}_bucket${withLabel(labels, 'le', '+Inf')} ${below}`, `${name}_count${labels} ${below}`];
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
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
