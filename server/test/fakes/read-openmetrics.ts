/** A reader of OpenMetrics text that refuses what the format's rules forbid. */

/** A sample by its name and its labels as they stand: `name{a="b"}`. */
export type Metrics = {
  readonly samples: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, string>;
};

const suffixes: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total'],
  gauge: [''],
  info: ['_info'],
  histogram: ['_bucket', '_count'],
};
const sampleLine =
  /^(?<name>[a-z_][a-z0-9_]*)(?<labels>\{[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-z_][a-z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})? (?<value>[0-9][0-9.e+-]*)$/;

/** Reads one exposition; throws at the first line that breaks a rule. */
export function readOpenMetrics(text: string): Metrics {
  const samples = new Map<string, number>();
  const types = new Map<string, string>();
  let family = '';
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines.pop() !== '# EOF') throw new Error('it does not end with # EOF and a line feed');
  for (const line of lines) {
    const [, kind, name = '', rest = ''] = /^# (TYPE|UNIT|HELP) ([a-z0-9_]+) (.*)$/.exec(line) ?? [];
    if (kind === 'TYPE') {
      if (types.has(name)) throw new Error(`${name} is described twice, or in two places`);
      if (suffixes[rest] === undefined) throw new Error(`${name} has the unknown type ${rest}`);
      types.set(name, rest);
      family = name;
      continue;
    }
    if (kind !== undefined) {
      if (name !== family) throw new Error(`${kind} of ${name} among ${family}`);
      if (kind === 'UNIT' && !name.endsWith(`_${rest}`)) throw new Error(`${name} does not end with its unit ${rest}`);
      continue;
    }
    const { name: sample = '', labels = '', value = '' } = sampleLine.exec(line)?.groups ?? {};
    if (sample === '') throw new Error(`no sample and no comment: ${line}`);
    const allowed = suffixes[types.get(family) ?? ''] ?? [];
    if (!allowed.some((suffix) => sample === `${family}${suffix}`)) throw new Error(`${sample} among ${family}`);
    if (samples.has(sample + labels)) throw new Error(`${sample}${labels} is there twice`);
    samples.set(sample + labels, Number(value));
  }
  checkHistograms(samples, types);
  return { samples, types };
}

function checkHistograms(samples: ReadonlyMap<string, number>, types: ReadonlyMap<string, string>): void {
  const before = new Map<string, { readonly bound: number; readonly count: number }>();
  for (const [key, count] of samples) {
    const [, series = '', bound = ''] = /^(.*_bucket\{.*?),?le="([^"]+)"\}$/.exec(key) ?? [];
    if (series === '') continue;
    const le = bound === '+Inf' ? Infinity : Number(bound);
    const last = before.get(series) ?? { bound: -Infinity, count: 0 };
    if (le <= last.bound || count < last.count) throw new Error(`buckets out of order at ${key}`);
    before.set(series, { bound: le, count });
  }
  for (const [name, type] of types) {
    if (type !== 'histogram') continue;
    for (const [key, count] of samples) {
      if (!key.startsWith(`${name}_count`)) continue;
      const series = `${name}_bucket${key.slice(`${name}_count`.length, -1)}`;
      const last = before.get(series);
      if (last?.bound !== Infinity || last.count !== count) throw new Error(`${key} is not what its buckets hold`);
    }
  }
}
