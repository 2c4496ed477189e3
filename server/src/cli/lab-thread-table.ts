/** The table of the thread as text for a mail: what each answer costs, and what it breaks, in 72 columns. */
import { formatExact, formatNs, formatPlural } from '@faultline/shared';
import { type TextColumn, textTable, wrapText } from '../exports/text-table.ts';
import type { Spread, ThreadRow, ThreadSetting } from '../lab/thread-figures.ts';
import { isTimed, mayKill, requestOf, threadVariants, threadWorkloads } from '../lab/thread-plan.ts';

const width = 72;
const none = '–';

/** What each build's fault handler does. */
const answers: Readonly<Record<ThreadRow['variant'], string>> = {
  v0: 'as it is: io_remap_pfn_range of the whole VMA, under the read lock',
  v1: 'the patch: drop the read lock, take the write lock',
  v1d: 'the patch, downgrading to the read lock at the end',
  v2: 'one vmf_insert_pfn a fault',
  v3: 'vmf_insert_pfn of the whole VMA in one fault',
  v4: 'no fault handler, mapped at mmap',
};

/** The whole of it, a line break at the end. */
export function threadTable(rows: readonly ThreadRow[], setting: ThreadSetting): string {
  const variants = threadVariants.filter((variant) => rows.some((row) => row.variant === variant));
  const blank = { title: '', align: 'left' } as const;
  const legend = textTable(
    [blank, { ...blank, wraps: true }],
    variants.map((variant) => [variant, `${answers[variant]}${patchOf(rows, variant)}`]),
    width,
  );
  const timed = threadWorkloads.filter(isTimed).flatMap((workload) => costOf(rows, workload));
  const lines = [...headOf(rows, setting), '', ...legend, ...timed, ...edgesOf(rows), ...notesOf(rows)];
  return `${lines.join('\n')}\n`;
}

/** The patch with its digest, as the lab names it behind the module. */
function patchOf(rows: readonly ThreadRow[], variant: ThreadRow['variant']): string {
  const build = rows.find((row) => row.variant === variant && row.build !== undefined)?.build;
  const patch = /\S+\.cocci [0-9a-f]+/.exec(build ?? '')?.[0];
  return patch === undefined ? '' : ` [${patch}]`;
}

function headOf(rows: readonly ThreadRow[], { identity, accelerator }: ThreadSetting): readonly string[] {
  const probes = [...new Set(rows.flatMap(({ streams }) => streams.map((stream) => stream.split(':')[0] ?? '')))];
  const machine = [
    ...(identity === undefined ? [] : [`${formatExact(identity.cpuCount)} CPUs`]),
    accelerator === 'tcg' ? 'emulated (counts carry over to real machines, times do not)' : (accelerator ?? ''),
  ];
  const facts: readonly (readonly [string, string])[] = [
    ['kernel', identity === undefined ? 'not known' : `${identity.release}, ${identity.version ?? ''}`],
    ['guest', machine.filter((word) => word !== '').join(', ')],
    ['traced', `${probes.toSorted().join(', ')} (bpftrace ${identity?.bpftraceVersion ?? 'of unknown version'})`],
  ];
  return facts.flatMap(([title, value]) =>
    wrapText(value, width - 8).map((line, at) => `${(at === 0 ? title : '').padEnd(8)}${line}`),
  );
}

/** One timed workload: faults, what they map and take, what tracing adds, and the lock assertion. */
function costOf(rows: readonly ThreadRow[], workload: ThreadRow['workload']): readonly string[] {
  const own = rows.filter((row) => row.workload === workload && row.sessions.length > 0);
  if (own.length === 0) return [];
  const titles = ['', 'faults', 'inserts', 'pages', 'in faults', 'untraced', 'traced', 'violations'];
  const columns = titles.map((title, at): TextColumn => ({ title, align: at === 0 ? 'left' : 'right' }));
  const cells = own.map(({ variant, figures }) => [
    variant,
    counted(figures.faults),
    mappedBy(figures),
    counted(figures.pagesMapped),
    timed(figures.faultTimeNs),
    timed(figures.untracedNs),
    timed(figures.tracedNs),
    counted(figures.violations),
  ]);
  const runCount = Math.max(...own.map(({ sessions }) => sessions.length));
  const title = `${workload} of 64 MiB: counts a run; times${runCount === 1 ? '' : `, medians of ${formatPlural(runCount, 'run')}`}`;
  return ['', title, '', ...textTable(columns, cells, width)];
}

/** How often the whole was remapped, otherwise how many single pages were inserted. */
function mappedBy({ remaps, inserts }: ThreadRow['figures']): string {
  if (remaps === undefined || remaps.max === 0) return counted(inserts);
  return `${counted(remaps)} ${remaps.max === 1 ? 'remap' : 'remaps'}`;
}

/** Findings of the contract probe, in all runs of a pair together, and what killed the kernel. */
function edgesOf(rows: readonly ThreadRow[]): readonly string[] {
  const workloads = threadWorkloads.filter((workload) => rows.some((row) => row.workload === workload));
  const variants = threadVariants.filter((variant) => rows.some((row) => row.variant === variant));
  const columns: readonly TextColumn[] = [
    { title: '', align: 'left' },
    ...workloads.map((title) => ({ title, align: 'right' }) as const),
  ];
  const cells = variants.map((variant) => [
    variant,
    ...workloads.map((workload) => edgeOf(rows.find((row) => row.variant === variant && row.workload === workload))),
  ]);
  return [
    '',
    'contract findings of all runs; OOPS: a BUG or bad pages, see below',
    '',
    ...textTable(columns, cells, width),
  ];
}

function edgeOf(row: ThreadRow | undefined): string {
  if (row === undefined || row.sessions.length === 0) return 'not run';
  const count = Object.values(row.findings).reduce((sum, one) => sum + one, 0);
  const words = [...(count === 0 ? [] : [formatExact(count)]), ...(row.oopsCount === 0 ? [] : ['OOPS'])];
  return words.length === 0 ? none : words.join(' ');
}

/** Which findings, which BUG on which path; and what was lost. */
function notesOf(rows: readonly ThreadRow[]): readonly string[] {
  const notes = rows.flatMap((row) => {
    const { variant, workload, findings, oopses, problems, incomplete } = row;
    const found = Object.entries(findings)
      .toSorted(([name, left], [other, right]) => right - left || (name < other ? -1 : 1))
      .map(([finding, count]) => `${finding} ${formatExact(count)}`);
    const lines = [
      ...(found.length === 0 ? [] : [found.join(', ')]),
      ...oopses,
      ...(oopses.length > 0 ? [] : problems),
      ...incomplete.map((id) => `${id} is incomplete: something was lost`),
    ];
    return lines.length === 0 ? [] : [[variant, `${workload}${roundsOf(row)}`, lines.join('\n')]];
  });
  const columns = [
    { title: '', align: 'left' },
    { title: '', align: 'left' },
    { title: '', align: 'left', wraps: true },
  ] as const;
  return notes.length === 0 ? [] : ['', ...textTable(columns, notes, width)];
}

/** How often a run does it: of what may end sooner, at most. */
function roundsOf({ variant, workload, sessions }: ThreadRow): string {
  const { repetitions } = requestOf({ variant, workload });
  if (repetitions === 1) return sessions.length === 1 ? '' : ` ×${formatExact(sessions.length)}`;
  const rounds = formatExact(repetitions * sessions.length);
  return mayKill(variant, workload) ? ` ≤${rounds}` : ` ×${rounds}`;
}

function counted(spread: Spread | undefined): string {
  if (spread === undefined) return none;
  const { min, max } = spread;
  return min === max ? formatExact(min) : `${formatExact(min)}–${formatExact(max)}`;
}

function timed(spread: Spread | undefined): string {
  return spread === undefined ? none : formatNs(spread.median);
}
