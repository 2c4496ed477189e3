/** What the sessions of `lab thread` say, a line a pair of build and workload: nothing else is the table made of. */
import type { RecordSummary, SessionManifest, TargetIdentity } from '@faultline/shared';
import { readFinalFigures } from '../sessions/session-totals.ts';
import type { Library } from '../sessions/library.ts';
import { sessionsOf } from './series.ts';
import type { ThreadSide } from './thread.ts';
import type { ThreadVariant, ThreadWorkload } from './thread-plan.ts';

/** Lowest, middle and highest of the runs. */
export type Spread = { readonly min: number; readonly median: number; readonly max: number };

/** What a run was counted to do; undefined where the build has nothing that could be traced. */
export type ThreadFigures = {
  /** Faults of device mappings, without those of the kernel's own [vvar] page. */
  readonly faults: number | undefined;
  /** Calls of vmf_insert_pfn. */
  readonly inserts: number | undefined;
  /** Calls of remap_pfn_range, in faults and at mmap. */
  readonly remaps: number | undefined;
  readonly pagesMapped: number | undefined;
  readonly faultTimeNs: number | undefined;
  /** Broken lock assertions. */
  readonly violations: number | undefined;
  /** What a workload took by its own clock, traced; and on the same build when nothing was. */
  readonly tracedNs: number | undefined;
  readonly untracedNs: number | undefined;
};

/** One pair: all its runs. */
export type ThreadRow = {
  readonly variant: ThreadVariant;
  readonly workload: ThreadWorkload;
  readonly kernel: string;
  readonly series: string;
  /** Base, module, patch and digest; undefined without a run. */
  readonly build: string | undefined;
  readonly sessions: readonly string[];
  readonly figures: Readonly<Record<keyof ThreadFigures, Spread | undefined>>;
  /** Findings of the contract probe by their name, of all runs together. */
  readonly findings: Readonly<Record<string, number>>;
  /** Complaints of the kernel, in its words; one that was seen often stands once. */
  readonly oopses: readonly string[];
  readonly oopsCount: number;
  /** How the workload ended where it was not done, such as SIGBUS. */
  readonly problems: readonly string[];
  /** Sessions in which something was lost. */
  readonly incomplete: readonly string[];
  /** Streams that were traced. */
  readonly streams: readonly string[];
};

/** What all runs have in common. */
export type ThreadSetting = {
  readonly identity: TargetIdentity | undefined;
  readonly accelerator: 'kvm' | 'tcg' | undefined;
};

type Run = {
  readonly manifest: SessionManifest;
  readonly figures: ThreadFigures;
  readonly findings: Readonly<Record<string, number>>;
};

/** Reads the sessions of every pair up to a number of runs. Throws where a session that was just written can't be read. */
export async function readThread(
  library: Library,
  sides: readonly ThreadSide[],
  runCount: number,
): Promise<{ readonly rows: readonly ThreadRow[]; readonly setting: ThreadSetting }> {
  const rows: ThreadRow[] = [];
  let first: SessionManifest | undefined;
  for (const side of sides) {
    const wanted = sessionsOf(library, side).filter(({ setup }) => (setup?.runNumber ?? 0) <= runCount);
    const runs: Run[] = [];
    for (const manifest of wanted) {
      const found = library.findReadable(manifest.id);
      if (!found.ok) continue;
      const { figures } = await readFinalFigures(found.value);
      runs.push(runOf(manifest, figures.summary(manifest)));
      first ??= manifest;
    }
    rows.push(rowOf(side, runs));
  }
  return { rows, setting: { identity: first?.target.identity, accelerator: first?.setup?.accelerator } };
}

function runOf(manifest: SessionManifest, summary: RecordSummary): Run {
  const sum = (probe: string, metric: string, fits: (dims: Dims) => boolean = () => true): number | undefined => {
    const own = summary.runs.filter(({ run }) => run.probe === probe);
    if (own.length === 0) return undefined;
    const found = own.flatMap(({ totals }) => totals.filter((one) => one.metric === metric && fits(one.dims)));
    return found.reduce((all, { value }) => all + value, 0);
  };
  const printed = manifest.setup?.printed;
  const findings: Record<string, number> = {};
  for (const { totals } of summary.runs) {
    for (const { metric, dims, value } of totals) {
      if (metric !== 'contractFindings' || value === 0) continue;
      const finding = String(dims['finding']);
      findings[finding] = (findings[finding] ?? 0) + value;
    }
  }
  const figures = {
    faults: sum('fault-contract', 'handlerCalls', (dims) => dims['handler'] !== 'special_mapping_fault'),
    inserts: sum('pfn-insert', 'inserts', (dims) => dims['insert'] === 'vmf_insert_pfn'),
    remaps: sum('lock-assert', 'checks'),
    pagesMapped: sum('vfio-fault', 'pagesMapped'),
    faultTimeNs: sum('vfio-fault', 'faultTime'),
    violations: sum('lock-assert', 'checks', (dims) => dims['kernel'] === 'violated'),
    tracedNs: numberOf(printed?.['elapsedNs']),
    untracedNs: numberOf(printed?.['untracedNs']),
  };
  return { manifest, figures, findings };
}

type Dims = RecordSummary['runs'][number]['totals'][number]['dims'];

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function rowOf({ variant, workload, kernel, series }: ThreadSide, runs: readonly Run[]): ThreadRow {
  const spread = (name: keyof ThreadFigures): Spread | undefined =>
    spreadOf(runs.flatMap(({ figures }) => figures[name] ?? []));
  const findings: Record<string, number> = {};
  for (const run of runs)
    for (const [finding, count] of Object.entries(run.findings)) findings[finding] = (findings[finding] ?? 0) + count;
  const printed = runs.map(({ manifest }) => manifest.setup?.printed ?? {});
  const words = (pattern: RegExp): readonly string[] => [
    ...new Set(
      printed.flatMap((fields) =>
        Object.entries(fields).flatMap(([name, value]) => (pattern.test(name) ? [String(value)] : [])),
      ),
    ),
  ];
  return {
    ...{ variant, workload, kernel, series, findings },
    build: runs.flatMap(({ manifest }) => manifest.setup?.module ?? []).at(-1),
    sessions: runs.map(({ manifest }) => manifest.id),
    figures: {
      faults: spread('faults'),
      inserts: spread('inserts'),
      remaps: spread('remaps'),
      pagesMapped: spread('pagesMapped'),
      faultTimeNs: spread('faultTimeNs'),
      violations: spread('violations'),
      tracedNs: spread('tracedNs'),
      untracedNs: spread('untracedNs'),
    },
    oopses: words(/^oops\d$/),
    oopsCount: printed.reduce((sum, fields) => sum + (numberOf(fields['oopses']) ?? 0), 0),
    problems: words(/^problem$/),
    incomplete: runs.flatMap(({ manifest }) =>
      manifest.runs.every(({ view }) => view.isComplete) ? [] : [manifest.id],
    ),
    streams: [
      ...new Set(runs.flatMap(({ manifest }) => manifest.runs.map(({ view }) => `${view.probe}:${view.stream}`))),
    ].toSorted(),
  };
}

/** Undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.toSorted((left, right) => left - right);
  const [min] = sorted;
  const max = sorted.at(-1);
  const half = (sorted.length - 1) / 2;
  const [low, high] = [sorted[Math.floor(half)], sorted[Math.ceil(half)]];
  if (min === undefined || max === undefined || low === undefined || high === undefined) return undefined;
  return { min, median: (low + high) / 2, max };
}
