/** The fault path: what its diagram, its figures, the assertion panel, the devices and the MAP_DMA table show. */
import {
  type Cell,
  cellsOf,
  type FaultPath,
  faultPathOf,
  faultsOf,
  faultTimeNsOf,
  formatBytes,
  formatCount,
  formatExact,
  formatNs,
  formatNsExact,
  formatPlural,
  formatShare,
  type LiveSession,
  quantileNs,
  totalOf,
  type VfioDevice,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
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
  readonly eraWords: string;
  readonly figures: readonly Figure[];
};

const eraWords = {
  a: 'era A: the whole VMA is remapped in one fault',
  bc: 'era B or C: pages are inserted one by one',
  d: 'era D: a page, a PMD or a PUD is inserted',
} as const;

/** The path as it happens on this kernel. */
export function selectFaultPath(shown: Shown): FaultPathView {
  const status = answered(shown, metricStatus(shown, 'attempts'), 'vfio-fault');
  const { session } = shown;
  const path = session === undefined ? undefined : faultPathOf(session);
  const run = session?.view.runs.findLast(({ probe }) => probe === 'vfio-fault');
  const manifest = shown.app.manifests.find(({ name }) => name === 'vfio-fault');
  const variant = manifest?.streams[0]?.variants.find(({ name }) => name === run?.variant);
  const note = variant?.note === undefined ? '' : ` ${variant.note}`;
  return {
    status,
    path,
    eraWords: path === undefined ? '' : `${eraWords[path.era]}.${note}`,
    figures: session === undefined ? [] : figuresOf(session),
  };
}

/** Of a probe that runs and has seen nothing, zero is the answer, and no reason for an empty panel. */
function answered(shown: Shown, status: PanelStatus, probe: string): PanelStatus {
  const isRunning = shown.session?.view.runs.some((run) => run.probe === probe && run.state === 'running') === true;
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
  const checks = totalOf(session, 'checks', {});
  const violations = totalOf(session, 'violations', {});
  return [
    plain('faults', formatCount(faults), formatExact(faults), `${formatExact(attempts)} attempts`),
    plain('faults per GiB', formatCount(perGib), formatExact(perGib), `${formatBytes(mappedBytes)} mapped`),
    plain(
      'time in fault',
      formatNs(timeNs),
      formatNsExact(timeNs),
      `p99 ${formatNs(quantileNs(session, 'faultLatency', { result: 'nopage' }, 0.99))}`,
    ),
    plain('time per GiB', formatNs(gib > 0 ? timeNs / gib : undefined), '', 'mapped by faults'),
    violations > 0
      ? {
          title: 'violations',
          value: formatCount(violations),
          exact: formatExact(violations),
          note: `in ${formatPlural(checks, 'check')}`,
          tone: 'bad',
        }
      : {
          title: 'violations',
          value: 'none',
          exact: '0',
          note: `in ${formatPlural(checks, 'check')}`,
          tone: checks > 0 ? 'good' : 'plain',
        },
  ];
}

function plain(title: string, value: string, exact: string, note: string): Figure {
  return { title, value, exact, note, tone: 'plain' };
}

/** The table behind the diagram. */
export function faultPathTable(view: FaultPathView): TableData {
  return {
    columns: [
      { id: 'function', title: 'function', align: 'start' },
      { id: 'calls', title: 'calls', align: 'end' },
      { id: 'p99', title: 'p99', align: 'end' },
      { id: 'locks', title: 'lock at entry', align: 'start' },
      { id: 'violations', title: 'violations', align: 'end' },
    ],
    rows: (view.path?.nodes ?? []).map((node) => ({
      key: node.id,
      cells: [
        node.kind === 'inlined' ? `${node.name} (inlined here)` : node.name,
        node.total === undefined ? 'not measured' : formatExact(node.total),
        formatNs(node.p99Ns),
        node.locks.map(({ lock, count }) => `${lock} ${formatExact(count)}`).join(', '),
        formatExact(node.violations),
      ],
    })),
  };
}

/** One line of the assertion panel. */
export type Violation = {
  readonly key: string;
  readonly site: string;
  readonly expected: string;
  readonly actual: string;
  readonly kernel: string;
  readonly mine: string;
  readonly process: string;
  readonly count: number;
  readonly stack: readonly string[];
};

/** The lock assertion: violations by stack, the kernel's own words, and how much was checked. */
export type AssertionView = {
  readonly status: PanelStatus;
  readonly checks: number;
  readonly violations: readonly Violation[];
  readonly warns: readonly {
    readonly key: string;
    readonly process: string;
    readonly count: number;
    readonly stack: readonly string[];
  }[];
  /** Of the checks: in how many the flags of the VMA really changed. */
  readonly needed: number;
};

/** What the mmap lock assertion would say. A stream that runs and has checked nothing is no empty panel: that is an answer. */
export function selectAssertion(shown: Shown): AssertionView {
  const status = metricStatus(shown, 'checks');
  const { session } = shown;
  const none = { checks: 0, violations: [], warns: [], needed: 0 };
  if (session === undefined) return { status, ...none };
  return {
    status: answered(shown, status, 'lock-assert'),
    checks: totalOf(session, 'checks', {}),
    needed: totalOf(session, 'checks', { needed: 'yes' }),
    violations: cellsOf(session, 'violations')
      .map(({ dims, value }) => ({
        key: JSON.stringify(dims),
        site: String(dims['site']),
        expected: String(dims['expected']),
        actual: String(dims['actual']),
        kernel: String(dims['kernel']),
        mine: String(dims['mine']),
        process: String(dims['comm']),
        count: value,
        stack: String(dims['stack']).split(';'),
      }))
      .toSorted((left, right) => right.count - left.count),
    warns: cellsOf(session, 'warns').map(({ dims, value }) => ({
      key: JSON.stringify(dims),
      process: String(dims['comm']),
      count: value,
      stack: String(dims['stack']).split(';'),
    })),
  };
}

/** The violations as a table, for copying. */
export function assertionTable(view: AssertionView): TableData {
  return {
    columns: ['count', 'site', 'expected', 'actual', 'kernel', 'mine', 'process', 'stack'].map((title) => ({
      id: title,
      title,
      align: title === 'count' ? ('end' as const) : ('start' as const),
    })),
    rows: view.violations.map((one) => ({
      key: one.key,
      cells: [
        formatExact(one.count),
        one.site,
        one.expected,
        one.actual,
        one.kernel,
        one.mine,
        one.process,
        one.stack.join(' < '),
      ],
    })),
  };
}

/** One BAR of a device: how much of it faults have mapped. */
export type BarRow = {
  readonly key: string;
  readonly device: string;
  readonly bar: string;
  readonly size: string;
  readonly mapped: string;
  readonly exact: string;
  /** Mapped so far by its size: above 1 when it was mapped more than once. */
  readonly times: number | undefined;
};

/** Devices and BARs. */
export type DevicesView = { readonly status: PanelStatus; readonly rows: readonly BarRow[] };

/** How much of each BAR was mapped by faults so far. */
export function selectDevices(shown: Shown): DevicesView {
  const status = metricStatus(shown, 'pagesMapped');
  const { session, target } = shown;
  if (session === undefined) return { status, rows: [] };
  const devices = target === undefined ? [] : (shown.app.devices.get(target.id) ?? []);
  return { status, rows: cellsOf(session, 'pagesMapped').map((cell) => barRow(cell, devices)) };
}

function barRow({ dims, value }: Cell, devices: readonly VfioDevice[]): BarRow {
  const device = String(dims['device']);
  const place = Number(dims['place']);
  const bars = devices.find(({ bdf }) => bdf === device)?.bars ?? [];
  // In era A the place is the physical page where the VMA begins, which lies in one of the BARs.
  const physical = place * pageBytes;
  const bar =
    place < 16
      ? bars.find(({ index }) => index === place)
      : bars.find(({ physicalAddress, bytes }) => physical >= physicalAddress && physical < physicalAddress + bytes);
  const mappedBytes = value * pageBytes;
  const unknown = place < 16 ? `BAR ${place}` : `page ${formatExact(place)}`;
  return {
    key: `${device} ${place}`,
    device,
    bar: bar === undefined ? unknown : `BAR ${bar.index}`,
    size: formatBytes(bar?.bytes),
    mapped: formatBytes(mappedBytes),
    exact: `${formatExact(value)} pages`,
    times: bar === undefined ? undefined : mappedBytes / bar.bytes,
  };
}

/** Devices as a table, for copying. */
export function devicesTable(view: DevicesView): TableData {
  return {
    columns: ['device', 'BAR', 'size', 'mapped by faults', 'pages'].map((title, at) => ({
      id: title,
      title,
      align: at < 2 ? ('start' as const) : ('end' as const),
    })),
    rows: view.rows.map(({ key, device, bar, size, mapped, exact }) => ({
      key,
      cells: [device, bar, size, mapped, exact],
    })),
  };
}

/** The chain of MAP_DMA. */
export type LinksView = { readonly status: PanelStatus; readonly table: TableData };

const links = [
  'vfio_iommu_type1_ioctl',
  'vfio_pin_pages_remote',
  'vaddr_get_pfns',
  'follow',
  'fixup_user_fault',
] as const;

/** How often each link of MAP_DMA was called, how long it took, how often it failed. */
export function selectLinks(shown: Shown): LinksView {
  const status = metricStatus(shown, 'links');
  const { session } = shown;
  const maps = session === undefined ? 0 : totalOf(session, 'links', { link: 'vfio_iommu_type1_ioctl' });
  return {
    status,
    table: {
      columns: [
        { id: 'link', title: 'link', align: 'start' },
        ...['calls', 'each', 'failed', 'p50', 'p99', 'time', 'share'].map((title) => ({
          id: title,
          title,
          align: 'end' as const,
        })),
      ],
      rows: session === undefined ? [] : links.map((link) => ({ key: link, cells: linkCells(session, link, maps) })),
    },
  };
}

function linkCells(session: LiveSession, link: string, maps: number): readonly string[] {
  const calls = totalOf(session, 'links', { link });
  const timeNs = totalOf(session, 'linkTime', { link });
  const wholeNs = totalOf(session, 'linkTime', { link: 'vfio_iommu_type1_ioctl' });
  return [
    link,
    formatExact(calls),
    maps === 0 ? '–' : formatCount(calls / maps),
    formatExact(totalOf(session, 'linkFailures', { link })),
    formatNs(quantileNs(session, 'linkLatency', { link }, 0.5)),
    formatNs(quantileNs(session, 'linkLatency', { link }, 0.99)),
    formatNs(timeNs),
    wholeNs === 0 ? '–' : formatShare(timeNs / wholeNs),
  ];
}
