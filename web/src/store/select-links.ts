/** Inside MAP_DMA: how often each link of its chain is called, and how long it takes. */
import {
  formatCount,
  formatExact,
  formatNs,
  formatNsExact,
  formatShare,
  type LiveSession,
  quantileNs,
  totalOf,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import type { Scope } from './scope.ts';
import { allProcesses } from './select-fault-path.ts';
import type { TableData } from './table-data.ts';

/** A cell: what is shown, and the same in all its digits. */
export type LinkCell = { readonly text: string; readonly exact: string };

/** The chain of MAP_DMA. */
export type LinksView = {
  readonly status: PanelStatus;
  readonly scope: Scope | undefined;
  readonly rows: readonly { readonly link: string; readonly cells: readonly LinkCell[] }[];
};

/** The columns after the name of the link. */
export const linkColumns = [
  { id: 'calls', title: 'calls', hint: 'since the start' },
  { id: 'each', title: 'each', hint: 'calls for each VFIO_IOMMU_MAP_DMA' },
  { id: 'failed', title: 'failed', hint: 'calls that returned an error' },
  { id: 'p50', title: 'p50', hint: 'half of the calls took no longer' },
  { id: 'p99', title: 'p99', hint: '99 % of the calls took no longer' },
  { id: 'time', title: 'time', hint: 'all calls together' },
  { id: 'share', title: 'share', hint: 'of the time of all VFIO_IOMMU_MAP_DMA' },
] as const;

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
  return {
    status,
    scope: allProcesses(shown),
    rows: session === undefined ? [] : links.map((link) => ({ link, cells: linkCells(session, link) })),
  };
}

/** The links as a table, for copying: every number in all its digits. */
export function linksTable({ rows }: LinksView): TableData {
  return {
    columns: [
      { id: 'link', title: 'link', align: 'start' },
      ...linkColumns.map(({ id, title }) => ({ id, title, align: 'end' as const })),
    ],
    rows: rows.map(({ link, cells }) => ({ key: link, cells: [link, ...cells.map(({ exact }) => exact)] })),
  };
}

function linkCells(session: LiveSession, link: string): readonly LinkCell[] {
  const sum = (metric: string, name: string = link): number => totalOf(session, metric, { link: name });
  const whole = 'vfio_iommu_type1_ioctl';
  const [calls, maps] = [sum('links'), sum('links', whole)];
  const [timeNs, wholeNs] = [sum('linkTime'), sum('linkTime', whole)];
  const quantile = (part: number): LinkCell => ns(quantileNs(session, 'linkLatency', { link }, part));
  const same = (text: string): LinkCell => ({ text, exact: text });
  return [
    count(calls),
    same(maps === 0 ? '–' : formatCount(calls / maps)),
    count(sum('linkFailures')),
    quantile(0.5),
    quantile(0.99),
    ns(timeNs),
    same(wholeNs === 0 ? '–' : formatShare(timeNs / wholeNs)),
  ];
}

function count(value: number): LinkCell {
  return { text: formatCount(value), exact: formatExact(value) };
}

function ns(value: number | undefined): LinkCell {
  return { text: formatNs(value), exact: formatNsExact(value) };
}
