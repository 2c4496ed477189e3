/** The fault path: what its diagram and the figures above it show. */
import {
  type FaultPath,
  faultPathOf,
  insertsInEraA,
  faultsOf,
  faultTimeNsOf,
  formatBytes,
  formatCount,
  formatExact,
  formatNs,
  formatNsExact,
  formatPlural,
  formatRate,
  type LiveSession,
  type RunView,
  quantileNs,
  totalOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import type { Scope } from './scope.ts';
import { onOneScale } from './side-by-side.ts';
import type { TableData } from './table-data.ts';

const pageBytes = 4096;

/** One figure of the first row. */
export type Figure = {
  readonly title: string;
  readonly value: string;
  readonly exact: string;
  readonly note: string;
  readonly tone: 'plain' | 'good' | 'bad';
};

/** The diagram and the figures beside it. */
export type FaultPathView = {
  readonly status: PanelStatus;
  readonly path: FaultPath | undefined;
  /** The path of the other column: both are drawn with the same rows, and lines as thick for the same traffic. */
  readonly pathBeside: FaultPath | undefined;
  readonly eraWords: string;
  /** How the era was recognised. */
  readonly eraReason: string | undefined;
  readonly scope: Scope | undefined;
  readonly figures: readonly Figure[];
};

const eraWords = {
  a: 'Era A: the whole VMA is remapped in one fault.',
  bc: 'Era B or C: pages are inserted one by one.',
  d: 'Era D: a page, a PMD or a PUD is inserted.',
  none: 'No fault handler: the BAR is mapped at mmap time.',
} as const;

function wordsOfEra({ era }: FaultPath, session: LiveSession): string {
  return insertsInEraA(session) ? 'Era A, but this build of it inserts pages one by one.' : eraWords[era];
}

/** The path as it happens on this kernel. */
export const selectFaultPath = onOneScale((shown: Shown): FaultPathView => {
  const status = answered(shown, metricStatus(shown, 'attempts'), 'vfio-fault');
  const { session } = shown;
  const path = session === undefined ? undefined : faultPathOf(session, shown.page.window);
  const run = session?.view.runs.findLast(({ probe }) => probe === 'vfio-fault');
  const manifest = shown.app.manifests.find(({ name }) => name === 'vfio-fault');
  const variant = manifest?.streams[0]?.variants.find(({ name }) => name === run?.variant);
  return {
    status,
    path,
    pathBeside: undefined,
    eraWords: path === undefined || session === undefined ? '' : wordsOfEra(path, session),
    eraReason: variant?.note,
    scope: allProcesses(shown),
    figures: session === undefined ? unknownFigures : figuresOf(session),
  };
}, besidePathOf);

function besidePathOf(view: FaultPathView, other: FaultPathView): FaultPathView {
  return { ...view, pathBeside: other.path };
}

/** What these figures add up cannot be told apart by process. */
export function allProcesses({ page }: Shown): Scope | undefined {
  return page.process === undefined ? undefined : { why: 'all processes', narrow: undefined };
}

/** Of a probe that runs and has seen nothing, zero is the answer, and no reason for an empty panel. */
export function answered(shown: Shown, status: PanelStatus, probe: string): PanelStatus {
  const isAnswer = (state: RunView['state']): boolean => state === 'running' || shown.recorded !== undefined;
  const isRunning = shown.session?.view.runs.some((run) => run.probe === probe && isAnswer(run.state)) === true;
  if (status.kind !== 'empty' || !isRunning || status.canUnfilter) return status;
  return { kind: 'ready', note: undefined, lossWord: undefined, runs: [] };
}

function figuresOf(session: LiveSession): readonly Figure[] {
  const faults = faultsOf(session);
  const attempts = totalOf(session, 'attempts', {});
  const mappedBytes = totalOf(session, 'pagesMapped', {}) * pageBytes;
  const timeNs = faultTimeNsOf(session);
  const gib = mappedBytes / 1024 ** 3;
  const perGib = gib > 0 ? faults / gib : undefined;
  return [
    plain('faults', formatCount(faults), formatExact(faults), formatPlural(attempts, 'attempt')),
    plain('faults per GiB', formatCount(perGib), formatExact(perGib), `${formatBytes(mappedBytes)} mapped`),
    plain(
      'time in fault',
      formatNs(timeNs),
      formatNsExact(timeNs),
      `p99 ${formatNs(quantileNs(session, 'faultLatency', { result: 'nopage' }, 0.99))}`,
    ),
    plain('time per GiB', formatNs(gib > 0 ? timeNs / gib : undefined), '', 'mapped by faults'),
    violationsFigure(session),
  ];
}

/** No violation is good news only where something was checked. */
function violationsFigure(session: LiveSession): Figure {
  const checks = totalOf(session, 'checks', {});
  const violations = totalOf(session, 'violations', {});
  const isChecked = session.view.runs.some(({ probe }) => probe === 'lock-assert');
  if (!isChecked) return plain('violations', '–', 'not checked', 'not checked: lock-assert is not running');
  const note = `in ${formatPlural(checks, 'check')}`;
  if (violations === 0)
    return { title: 'violations', value: 'none', exact: '0', note, tone: checks > 0 ? 'good' : 'plain' };
  return { title: 'violations', value: formatCount(violations), exact: formatExact(violations), note, tone: 'bad' };
}

/** Before anything is known: the same places, so that nothing jumps. */
export const unknownFigures: readonly Figure[] = [
  'faults',
  'faults per GiB',
  'time in fault',
  'time per GiB',
  'violations',
].map((title) => plain(title, '–', 'not known', 'not known'));

function plain(title: string, value: string, exact: string, note: string): Figure {
  return { title, value, exact, note, tone: 'plain' };
}

/** The table behind the diagram. */
export function faultPathTable(view: FaultPathView): TableData {
  return {
    columns: [
      { id: 'function', title: 'function', align: 'start' },
      { id: 'calls', title: 'calls', align: 'end' },
      { id: 'rate', title: '/s', align: 'end' },
      { id: 'p99', title: 'p99', align: 'end' },
      { id: 'locks', title: 'lock at entry', align: 'start' },
      { id: 'violations', title: 'violations', align: 'end' },
    ],
    rows: (view.path?.nodes ?? []).map((node) => ({
      key: node.id,
      cells: [
        node.kind === 'inlined' ? `${node.name} (inlined here)` : node.name,
        node.total === undefined ? 'not measured' : formatExact(node.total),
        formatRate(node.perSec),
        formatNs(node.p99Ns),
        node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', '),
        formatExact(node.violations),
      ],
    })),
  };
}
