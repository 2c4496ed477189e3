/** What a workload of the lab says it did (a line of `vfio-load`), and the faults that must have come of it. */
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Era } from './era.ts';
import { labPageBytes } from './limits.ts';

const sum = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** One line: a repetition, or with isDone the sums of all. `populations`: how often an empty mapping of all bytes was filled. */
const WorkloadReportSchema = Type.Object({
  mode: Type.String(),
  isDone: Type.Boolean(),
  repetition: sum,
  bytes: sum,
  pages: sum,
  isAligned: Type.Boolean(),
  barMaps: sum,
  populations: sum,
  pagesTouched: sum,
  dmaMaps: sum,
  zaps: sum,
  resets: sum,
  fileMaps: sum,
  anonPages: sum,
  elapsedNs: sum,
});
export type WorkloadReport = Static<typeof WorkloadReportSchema>;

/** The last line of `vfio-edge`: sums of all repetitions. */
const EdgeReportSchema = Type.Object({
  mode: Type.String(),
  isDone: Type.Literal(true),
  repetitions: sum,
  maps: sum,
  futexes: sum,
  reads: sum,
  busErrors: sum,
  killed: sum,
  elapsedNs: sum,
});
export type EdgeReport = Static<typeof EdgeReportSchema>;

const pmdBytes = 2 * 1024 ** 2;
const pudBytes = 1024 ** 3;

/** A line as what it says; undefined where it is a message and no report. Interprets the schema: the page may not eval. */
export function readWorkloadReport(line: string): WorkloadReport | undefined {
  const value = parsed(line);
  return Check(WorkloadReportSchema, value) ? value : undefined;
}

/** The same for what `vfio-edge` says at its end. */
export function readEdgeReport(line: string): EdgeReport | undefined {
  const value = parsed(line);
  return Check(EdgeReportSchema, value) ? value : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * Faults (calls of the handler with a final result) that the reported work takes in an era. Undefined where it cannot be said:
 * no era is known; eras B and C differ and are not told apart; threads beside each other may fault at the same time.
 */
export function expectedFaults(report: WorkloadReport, era: Era | undefined): number | undefined {
  if (report.fileMaps > 0) return 0;
  if (report.mode === 'contention') return undefined;
  if (era === 'none') return 0;
  if (era === 'a') return report.populations;
  if (era === 'd') return report.populations * (report.isAligned ? insertsOf(report.bytes) : report.pages);
  return undefined;
}

/** Insertions that fill an aligned mapping: 1 GiB where it fits, then 2 MiB, then pages. */
function insertsOf(bytes: number): number {
  const puds = Math.floor(bytes / pudBytes);
  const pmds = Math.floor((bytes % pudBytes) / pmdBytes);
  return puds + pmds + (bytes % pmdBytes) / labPageBytes;
}
