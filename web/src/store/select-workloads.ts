/** Workloads of a lab guest: what can be chosen for one, and what those that ran say they did. */
import {
  type EdgeReport,
  type Era,
  expectedFaults,
  formatBytes,
  formatExact,
  formatNs,
  formatNsExact,
  formatPlural,
  type LabMachine,
  type LabWorkload,
  type LabWorkloadRun,
  readEdgeReport,
  readWorkloadReport,
  type StartWorkload,
  type WorkloadReport,
  workloadRepetitionsMax,
  workloadThreadsMax,
} from '@faultline/shared';
import { type ParameterField, readParameter } from './parameter-form.ts';

/** What a person has chosen; numbers as they were typed. */
export type WorkloadChoice = {
  /** `0`: all of the BAR. */
  readonly sizeBytes: string;
  readonly alignment: 'aligned' | 'misaligned';
  readonly repetitions: string;
  readonly threads: string;
};

export const firstChoice: WorkloadChoice = { sizeBytes: '0', alignment: 'aligned', repetitions: '', threads: '' };

/** One run as a row of the table. */
export type WorkloadRow = {
  readonly key: string;
  readonly title: string;
  readonly state: string;
  readonly isBad: boolean;
  readonly did: string;
  /** What the kernel said when it died of it, with its stack. */
  readonly oopses: string;
  readonly faults: string;
  readonly faultsHint: string;
  readonly time: string;
  readonly exactTime: string;
  readonly lines: string;
  readonly linesTitle: string;
};

/** What vfio-load takes when nothing is said: the defaults of lab/workload/vfio-load.c. */
const repetitions = { minimum: 1, maximum: workloadRepetitionsMax, default: 1, unit: 'none' } as const;
const threads = { minimum: 1, maximum: workloadThreadsMax, default: 2, unit: 'none' } as const;

/** The fields for numbers, held against their bounds. */
export function readChoice(choice: WorkloadChoice): {
  readonly repetitions: ParameterField;
  readonly threads: ParameterField;
} {
  return {
    repetitions: readParameter(repetitions, choice.repetitions),
    threads: readParameter(threads, choice.threads),
  };
}

/** Parts of a BAR worth mapping alone: a page, a PMD's reach, and larger ones; the whole of it is `0`. */
export function sizesOf(barBytes: number): readonly { readonly value: string; readonly label: string }[] {
  const parts = [4096, 2 * 1024 ** 2, 64 * 1024 ** 2].filter((bytes) => bytes < barBytes);
  return [
    ...parts.map((bytes) => ({ value: String(bytes), label: formatBytes(bytes) })),
    { value: '0', label: `all ${formatBytes(barBytes)}` },
  ];
}

/** What is sent for a workload: the choices that it heeds. Undefined while a number is wrong. */
export function requestOf(workload: LabWorkload, choice: WorkloadChoice): StartWorkload | undefined {
  const fields = readChoice(choice);
  if (!fields.repetitions.isValid || (workload.takesThreads && !fields.threads.isValid)) return undefined;
  return {
    workload: workload.name,
    ...(choice.sizeBytes === '0' ? {} : { sizeBytes: Number(choice.sizeBytes) }),
    ...(workload.takesAlignment && choice.alignment === 'misaligned' ? { isMisaligned: true } : {}),
    repetitions: fields.repetitions.value,
    ...(workload.takesThreads && fields.threads.isValid ? { threads: fields.threads.value } : {}),
  };
}

/** A run in words; what it did is what its last report says. */
export function workloadRow(run: LabWorkloadRun, { barBytes, era }: LabMachine): WorkloadRow {
  const report = run.lines.map(readWorkloadReport).findLast((one) => one !== undefined);
  const whole = report?.isDone === true ? report : undefined;
  const edge = run.lines.map(readEdgeReport).findLast((one) => one !== undefined);
  const faults = whole === undefined ? undefined : expectedFaults(whole, era);
  const elapsedNs = whole?.elapsedNs ?? edge?.elapsedNs;
  return {
    key: run.id,
    title: titleOf(run, barBytes),
    state: run.state,
    isBad: run.state === 'failed',
    did: run.problem ?? (whole && didOf(whole)) ?? (edge && edgeOf(edge)) ?? progressOf(run, report),
    oopses: (run.oopses ?? [])
      .map(({ said, stack }) => [said, ...stack.map((frame) => `  ${frame}`)].join('\n'))
      .join('\n'),
    faults: formatExact(faults),
    faultsHint: hintOf(whole, edge, era),
    time: formatNs(elapsedNs),
    exactTime: formatNsExact(elapsedNs),
    lines: run.lines.join('\n'),
    linesTitle:
      run.lineCount > run.lines.length
        ? `the last ${run.lines.length} of ${formatExact(run.lineCount)} lines`
        : formatPlural(run.lineCount, 'line'),
  };
}

function titleOf(run: LabWorkloadRun, barBytes: number): string {
  return [
    run.workload,
    ...(run.sizeBytes === barBytes ? [] : [formatBytes(run.sizeBytes)]),
    ...(run.isMisaligned ? ['misaligned'] : []),
    ...(run.repetitions === 1 ? [] : [`${formatExact(run.repetitions)} times`]),
    ...(run.threads === undefined ? [] : [formatPlural(run.threads, 'thread')]),
  ].join(', ');
}

function progressOf({ repetitions: all, state }: LabWorkloadRun, report: WorkloadReport | undefined): string {
  if (state !== 'running') return 'it ended without saying what it did';
  return report === undefined ? 'begun' : `${formatExact(report.repetition)} of ${formatExact(all)} done`;
}

function didOf(report: WorkloadReport): string {
  const size = formatBytes(report.bytes);
  const parts: readonly (readonly [number, string])[] = [
    [report.fileMaps, `mapped ${size} through a file ${times(report.fileMaps)}`],
    [report.barMaps, `mapped ${size} ${times(report.barMaps)}`],
    [report.pagesTouched, `read ${formatPlural(report.pagesTouched, 'page')}`],
    [report.dmaMaps, formatPlural(report.dmaMaps, 'MAP_DMA', 'MAP_DMA')],
    [report.zaps, `memory decoding off and on ${times(report.zaps)}`],
    [report.resets, formatPlural(report.resets, 'reset')],
    [report.anonPages, `wrote ${formatPlural(report.anonPages, 'anonymous page')}`],
  ];
  return inWords(parts);
}

function edgeOf(report: EdgeReport): string {
  const parts: readonly (readonly [number, string])[] = [
    [report.maps, `mapped ${times(report.maps)}`],
    [report.reads, formatPlural(report.reads, 'read')],
    [report.futexes, formatPlural(report.futexes, 'FUTEX_WAKE_OP', 'FUTEX_WAKE_OP')],
    [report.busErrors, `${formatExact(report.busErrors)} answered with SIGBUS`],
    [report.killed, `${formatPlural(report.killed, 'process', 'processes')} killed`],
  ];
  return inWords(parts);
}

function inWords(parts: readonly (readonly [number, string])[]): string {
  return parts
    .filter(([count]) => count > 0)
    .map(([, words]) => words)
    .join(', ');
}

function hintOf(whole: WorkloadReport | undefined, edge: EdgeReport | undefined, era: Era | undefined): string {
  if (whole !== undefined) return faultsHint(whole, era);
  return edge === undefined ? 'known when it has ended' : 'cannot be said: what faults here depends on the handler';
}

function times(count: number): string {
  return count === 1 ? 'once' : `${formatExact(count)} times`;
}

function faultsHint(report: WorkloadReport, era: Era | undefined): string {
  if (report.fileMaps > 0) return 'none: the kernel maps a file at mmap time';
  if (report.mode === 'contention') return 'cannot be said: its threads may fault at the same time';
  const filled = `the mapping was filled ${times(report.populations)}`;
  if (era === 'none') return 'none: there is no fault handler; the BAR is mapped at mmap time';
  if (era === 'a') return `one each time: ${filled}`;
  if (era === 'bc') return `eras B and C differ and are not told apart; ${filled}`;
  if (era === 'd') return `${report.isAligned ? 'one for each 2 MiB or 1 GiB' : 'one for each page'}: ${filled}`;
  return `this guest’s vfio-fault does not run, so its era is not known; ${filled}`;
}
