/**
 * Numbers into text, for page, command line and reports; the only place that does it. Durations come in ns, shares as
 * 0..1, instants as epoch ms. Undefined where there is nothing to show becomes a dash.
 */
import type { Unit } from './probe-manifest.ts';

/** What stands where there is no number. */
export const noValue = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });

/** Every digit, in groups of three: 48,112,903. */
export function formatExact(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? noValue : grouped.format(value);
}

/** Three significant digits, without zeros at the end that say nothing. */
function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3)));
}

type Scale = readonly (readonly [factor: number, suffix: string])[];

/** The largest factor that leaves at least 1 after rounding to three digits. */
function scaled(value: number, scale: Scale): string {
  const size = Math.abs(value);
  for (const [factor, suffix] of scale) {
    if (Number((size / factor).toPrecision(3)) >= 1) return `${threeDigits(value / factor)}${suffix}`;
  }
  const last = scale.at(-1);
  return last === undefined ? threeDigits(value) : `${threeDigits(value / last[0])}${last[1]}`;
}

const countScale: Scale = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
];

/** A count, shortened with three significant digits: 48.1M, 1.2k, 999. */
export function formatCount(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value) ? noValue : scaled(value, countScale);
}

/** Events a second: 1.02M/s. */
export function formatRate(perSec: number | undefined): string {
  return perSec === undefined || !Number.isFinite(perSec) ? noValue : `${scaled(perSec, countScale)}/s`;
}

const durationScale: Scale = [
  [1e9, ' s'],
  [1e6, ' ms'],
  [1e3, ' µs'],
  [1, ' ns'],
];

/** A duration in ns, in the unit that leaves 1–999: 740 ns, 12.4 µs, 3.1 ms, 95 s. */
export function formatNs(ns: number | undefined): string {
  return ns === undefined || !Number.isFinite(ns) ? noValue : scaled(ns, durationScale);
}

/** A duration in ns, every digit and the unit: 12,400 ns. */
export function formatNsExact(ns: number | undefined): string {
  return ns === undefined || !Number.isFinite(ns) ? noValue : `${formatExact(ns)} ns`;
}

const byteScale: Scale = [
  [2 ** 40, ' TiB'],
  [2 ** 30, ' GiB'],
  [2 ** 20, ' MiB'],
  [2 ** 10, ' KiB'],
  [1, ' B'],
];

/** Bytes in binary units: 1.5 GiB. */
export function formatBytes(bytes: number | undefined): string {
  return bytes === undefined || !Number.isFinite(bytes) ? noValue : scaled(bytes, byteScale);
}

/** A share of 1 as per cent: 4 %, 0.3 %, < 0.1 %. Above 1 where it is of one CPU: 130 %. */
export function formatShare(share: number | undefined): string {
  if (share === undefined || !Number.isFinite(share)) return noValue;
  const percent = share * 100;
  if (percent > 0 && percent < 0.1) return '< 0.1 %';
  return `${percent < 10 ? String(Math.round(percent * 10) / 10) : String(Math.round(percent))} %`;
}

/** An address or flags: 0x7f00dead. */
export function formatHex(value: number | undefined): string {
  return value === undefined ? noValue : `0x${value.toString(16)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** How long something has been going on: 00:12:43; from a day on 3d 00:12:43. */
export function formatElapsed(ms: number): string {
  const sec = Math.max(0, Math.floor(ms / 1000));
  const days = Math.floor(sec / 86_400);
  const clock = [Math.floor(sec / 3600) % 24, Math.floor(sec / 60) % 60, sec % 60].map(twoDigits).join(':');
  return days === 0 ? clock : `${days}d ${clock}`;
}

/** A time that something is kept or may last, in the largest unit that says it whole: 30 days, 36 hours, 90 s. */
export function formatDuration(ms: number): string {
  const units = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ] as const;
  const [unitMs, noun] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1_000, undefined];
  return noun === undefined ? formatSeconds(ms, 0) : formatPlural(ms / unitMs, noun);
}

/** An instant of the session: seconds with `digits` decimals, 763.4 s. */
export function formatSeconds(ms: number | undefined, digits: 0 | 1 | 2 | 3 = 1): string {
  return ms === undefined || !Number.isFinite(ms) ? noValue : `${(ms / 1000).toFixed(digits)} s`;
}

/** How old something is, in words short enough for a corner: 4 s ago, 3 min ago. */
export function formatAge(ms: number): string {
  const sec = Math.max(0, Math.round(ms / 1000));
  if (sec < 120) return `${sec} s ago`;
  if (sec < 7200) return `${Math.round(sec / 60)} min ago`;
  return `${Math.round(sec / 3600)} h ago`;
}

/** The wall clock of an epoch ms in the reader's own time zone: 14:03:07.250. */
export function formatClock(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return noValue;
  const at = new Date(ms);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(':');
  return `${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** Date and wall clock in the reader's own time zone: 2026-11-22 14:03:07. */
export function formatInstant(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return noValue;
  const at = new Date(ms);
  const day = `${at.getFullYear()}-${twoDigits(at.getMonth() + 1)}-${twoDigits(at.getDate())}`;
  return `${day} ${formatClock(ms).slice(0, 8)}`;
}

/** A number of a manifest's column or metric, by its unit; shortened, as in a panel. */
export function formatUnit(value: number | undefined, unit: Unit): string {
  switch (unit) {
    case 'ns':
      return formatNs(value);
    case 'bytes':
      return formatBytes(value);
    case 'count':
    case 'pages':
      return formatCount(value);
    case 'address':
      return formatHex(value);
    case 'id':
    case 'none':
      return value === undefined ? noValue : String(value);
  }
}

/** A number of a manifest's column or metric with every digit, as in a table or a tooltip. */
export function formatUnitExact(value: number | undefined, unit: Unit): string {
  switch (unit) {
    case 'ns':
      return formatNsExact(value);
    case 'bytes':
      return value === undefined ? noValue : `${formatExact(value)} B`;
    case 'count':
    case 'pages':
      return formatExact(value);
    case 'address':
      return formatHex(value);
    case 'id':
    case 'none':
      return value === undefined ? noValue : String(value);
  }
}

/** A count with its noun: 1 probe, 5 probes. The plural is the noun with an s unless given. */
export function formatPlural(count: number, noun: string, plural: string = `${noun}s`): string {
  return `${formatExact(count)} ${count === 1 ? noun : plural}`;
}

/** How many times as much, with three significant digits: 0.412 ×, 1 ×, 32 ×. */
export function formatRatio(ratio: number | undefined): string {
  return ratio === undefined || !Number.isFinite(ratio) ? noValue : `${threeDigits(ratio)} ×`;
}

/** A probability of being wrong: 0.032, < 0.001. */
export function formatP(p: number | undefined): string {
  if (p === undefined || !Number.isFinite(p)) return noValue;
  return p < 0.001 ? '< 0.001' : String(Number(p.toPrecision(2)));
}
