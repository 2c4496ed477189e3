/** Plain text for a mail to a kernel list: 72 columns, with what a maintainer needs to believe it. */
import {
  formatExact,
  formatInstant,
  formatSeconds,
  type MapSpec,
  type ProbeManifest,
  type RecordedRun,
  type SessionManifest,
} from '@faultline/shared';
import type { RecordedFigures } from '../sessions/recorded-figures.ts';
import { describeRecording } from './report.ts';
import type { ExportSource } from './source.ts';
import { wrapText } from './text-table.ts';

const width = 72;

/** How many stacks of one run are printed. */
const stacksMax = 5;

/** Kernel, config, workload, counts, quantiles, stacks of what was counted by stack, ledger. */
export async function* exportText(source: ExportSource): AsyncGenerator<string> {
  const { manifest } = source;
  const figures = await source.figures();
  const summary = figures.summary(manifest);
  // A stack is no word of a table's row: it adds up, and stands below.
  const runs = summary.runs.map((run, index) => {
    const names = stackNames(figures.runs[index]?.run.stream.maps ?? []);
    const totals = run.totals.map((one) => ({
      ...one,
      dims: Object.fromEntries(Object.entries(one.dims).filter(([name]) => !names.has(name))),
    }));
    return { ...run, totals };
  });
  const lines = [
    ...headOf(manifest),
    '',
    ...describeRecording({ ...summary, runs }, manifestsOf(manifest.runs), width),
    ...stacksOf(figures),
  ];
  yield `${lines.flatMap((line) => (line.length <= width ? [line] : wrapText(line, width))).join('\n')}\n`;
}

function headOf(manifest: SessionManifest): readonly string[] {
  const { target, createdAtMs, lastAtMs, workload, label, name, notes, marks, interruption, stop } = manifest;
  const { identity } = target;
  const config = Object.entries(identity?.config ?? {}).map(([option, value]) => `${option}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['session', [manifest.id, name, label].filter((word) => word !== undefined).join(' · ')],
    ['begun', `${formatInstant(createdAtMs)}, lasted ${formatSeconds(lastAtMs - createdAtMs)}`],
    [
      'kernel',
      identity === undefined
        ? undefined
        : `${identity.release} ${identity.machine}${identity.isRealtime === true ? ' PREEMPT_RT' : ''}`,
    ],
    ['build', identity?.version],
    ['machine', identity === undefined ? undefined : machineOf(identity)],
    ['config', config.length === 0 ? undefined : config.join(' ')],
    ['THP', identity?.thpMode],
    ['bpftrace', identity?.bpftraceVersion],
    ['workload', workload],
    ['note', target.badge],
    ...notes.map(({ text }) => ['note', text] as const),
    ...marks.map(({ atMs, text }) => ['mark', `${formatSeconds(atMs - createdAtMs)}: ${text}`] as const),
    ['ended', interruption?.message ?? stop?.message],
  ];
  return facts.flatMap(([title, value]) => {
    if (value === undefined || value === '') return [];
    return wrapText(value, width - 10).map((line, at) => `${(at === 0 ? title : '').padEnd(10)}${line}`);
  });
}

function machineOf(identity: NonNullable<SessionManifest['target']['identity']>): string {
  const { cpuCount, cpuModel, virtualisation, isEmulated } = identity;
  const host = isEmulated ? 'emulated' : virtualisation;
  const where = host === undefined ? '' : ` (${host})`;
  return `${formatExact(cpuCount)} CPUs${cpuModel === undefined ? '' : `, ${cpuModel}`}${where}`;
}

/** What was counted by stack, the most frequent first: violations, warnings. */
function stacksOf(figures: RecordedFigures): readonly string[] {
  return figures.runs.flatMap(({ run }, index) => {
    const names = stackNames(run.stream.maps);
    const { cells, totals } = figures.runs[index]?.totalsOf(index) ?? { cells: [], totals: [] };
    const found = cells
      .filter(({ cell, dims }) => (totals[cell] ?? 0) > 0 && Object.keys(dims).some((name) => names.has(name)))
      .toSorted((left, right) => (totals[right.cell] ?? 0) - (totals[left.cell] ?? 0));
    return found.slice(0, stacksMax).flatMap(({ cell, metric, dims }) => {
      const words = Object.entries(dims).filter(([name]) => !names.has(name));
      const head = `${formatExact(totals[cell])} × ${metric}: ${words.map(([name, value]) => `${name} ${value}`).join(', ')}`;
      const frames = Object.entries(dims).flatMap(([name, value]) =>
        names.has(name) ? [`  ${name}:`, ...framesOf(value)] : [],
      );
      return ['', ...wrapText(head, width), ...frames];
    });
  });
}

function framesOf(stack: string | number): readonly string[] {
  return String(stack)
    .split(';')
    .map((frame) => `    ${frame}`.slice(0, width));
}

function stackNames(maps: readonly MapSpec[]): ReadonlySet<string> {
  return new Set(maps.flatMap(({ key }) => key.flatMap((part) => (part.kind === 'stack' ? [part.name] : []))));
}

/** The probes of a session as it was recorded, whatever became of them since. */
export function manifestsOf(runs: readonly RecordedRun[]): readonly ProbeManifest[] {
  const probes = new Map<string, ProbeManifest>();
  for (const { view, stream } of runs) {
    const known = probes.get(view.probe);
    const streams = known?.streams.filter(({ name }) => name !== stream.name) ?? [];
    probes.set(view.probe, {
      manifestVersion: 1,
      name: view.probe,
      title: view.probe,
      question: stream.question,
      caveats: [],
      streams: [...streams, stream],
    });
  }
  return [...probes.values()];
}
