/** Devices bound to vfio-pci: how much of each BAR faults have mapped. */
import { type Cell, cellsOf, formatBytes, formatCount, formatExact, type VfioDevice } from '@faultline/shared';
import type { Shown } from './app-state.ts';
import { type PanelStatus, metricStatus } from './panel-status.ts';
import { type Scope, scopeOf } from './scope.ts';
import type { TableData } from './table-data.ts';

const pageBytes = 4096;

/** One BAR of a device: how much of it faults have mapped. */
export type BarRow = {
  readonly key: string;
  readonly device: string;
  readonly bar: string;
  /** Why it is no number of a BAR; undefined where it is. */
  readonly barHint: string | undefined;
  readonly size: string;
  readonly mapped: string;
  readonly exact: string;
  /** How many times its size: "2.5 ×"; a dash where the size is not known. */
  readonly timesWords: string;
  /** Mapped so far by its size: above 1 when it was mapped more than once. */
  readonly times: number | undefined;
};

/** Devices and BARs. */
export type DevicesView = {
  readonly status: PanelStatus;
  readonly scope: Scope | undefined;
  readonly rows: readonly BarRow[];
};

/** How much of each BAR was mapped by faults so far. */
export function selectDevices(shown: Shown): DevicesView {
  const status = metricStatus(shown, 'pagesMapped');
  const { session, target } = shown;
  const scope = scopeOf(shown, 'pagesMapped');
  if (session === undefined) return { status, scope, rows: [] };
  const devices = target === undefined ? [] : (shown.app.devices.get(target.id) ?? []);
  return { status, scope, rows: cellsOf(session, 'pagesMapped').map((cell) => barRow(cell, devices)) };
}

/** The kernel tells a BAR by where it lies, and only the running device says where that is. */
const unknownPlace =
  'the physical page where the mapping begins; which BAR lies there is known while the device can be asked';

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
    barHint: bar === undefined && place >= 16 ? `${unknown}: ${unknownPlace}` : undefined,
    size: formatBytes(bar?.bytes),
    mapped: formatBytes(mappedBytes),
    exact: `${formatExact(value)} pages`,
    timesWords: bar === undefined ? '–' : `${formatCount(mappedBytes / bar.bytes)} ×`,
    times: bar === undefined ? undefined : mappedBytes / bar.bytes,
  };
}

/** Devices as a table, for copying. */
export function devicesTable(view: DevicesView): TableData {
  return {
    columns: ['device', 'BAR', 'size', 'mapped', 'times its size', 'pages'].map((title, at) => ({
      id: title,
      title,
      align: at < 2 ? ('start' as const) : ('end' as const),
    })),
    rows: view.rows.map(({ key, device, bar, size, mapped, timesWords, exact }) => ({
      key,
      cells: [device, bar, size, mapped, timesWords, exact],
    })),
  };
}
