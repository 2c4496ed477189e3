import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAge,
  formatBytes,
  formatClock,
  formatCount,
  formatDuration,
  formatElapsed,
  formatExact,
  formatHex,
  formatInstant,
  formatNs,
  formatNsExact,
  formatPlural,
  formatRate,
  formatSeconds,
  formatShare,
  formatUnit,
  formatUnitExact,
  noValue,
} from './format.ts';

describe('counts', () => {
  test('are shortened to three significant digits', () => {
    expect([0, 7, 999, 1000, 1234, 48_112_903, 999_600, 1e9, 2.5e12].map(formatCount)).toEqual([
      '0',
      '7',
      '999',
      '1k',
      '1.23k',
      '48.1M',
      '1M',
      '1G',
      '2.5T',
    ]);
  });

  test('keep every digit where asked, in groups', () => {
    expect(formatExact(48_112_903)).toBe('48,112,903');
    expect(formatExact(Number.MAX_SAFE_INTEGER)).toBe('9,007,199,254,740,991');
  });

  test('become a dash where there is none', () => {
    for (const format of [
      formatCount,
      formatExact,
      formatNs,
      formatNsExact,
      formatBytes,
      formatRate,
      formatShare,
      formatClock,
      formatInstant,
    ]) {
      expect(format(undefined)).toBe(noValue);
      expect(format(Number.NaN)).toBe(noValue);
    }
  });

  test('never round to a thousand of a smaller unit', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 9e14, noNaN: true }), (value) => {
        const text = formatCount(value);
        const mantissa = Number.parseFloat(text);
        expect(mantissa).toBeLessThan(1000);
        if (value >= 1) expect(mantissa).toBeGreaterThanOrEqual(1);
      }),
    );
  });
});

describe('durations', () => {
  test('take the unit that leaves 1 to 999', () => {
    expect([0, 740, 999, 1000, 12_400, 999_999, 3_100_000, 95e9].map(formatNs)).toEqual([
      '0 ns',
      '740 ns',
      '999 ns',
      '1 µs',
      '12.4 µs',
      '1 ms',
      '3.1 ms',
      '95 s',
    ]);
  });

  test('stay within half a per cent of what they show', () => {
    const factors: Readonly<Record<string, number>> = { ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900_000_000_000 }), (ns) => {
        const [mantissa = '', unit = ''] = formatNs(ns).split(' ');
        const shown = Number(mantissa) * (factors[unit] ?? Number.NaN);
        expect(Math.abs(shown - ns) / ns).toBeLessThanOrEqual(0.0051);
      }),
    );
  });

  test('are exact in ns where asked', () => expect(formatNsExact(12_400)).toBe('12,400 ns'));
});

test('shares are per cent, small ones never shown as nothing', () => {
  expect([0, 0.0004, 0.003, 0.041, 0.5, 1, 1.304].map(formatShare)).toEqual([
    '0 %',
    '< 0.1 %',
    '0.3 %',
    '4.1 %',
    '50 %',
    '100 %',
    '130 %',
  ]);
});

test('bytes are in binary units', () =>
  expect([512, 1536, 3 * 2 ** 30].map(formatBytes)).toEqual(['512 B', '1.5 KiB', '3 GiB']));

test('rates say per second', () => expect(formatRate(1_023_000)).toBe('1.02M/s'));

test('elapsed time is a clock, with days when it needs them', () => {
  expect([86_400_000 * 30, 129_600_000, 3_600_000, 90_000, 120_000].map(formatDuration)).toEqual([
    '30 days',
    '36 hours',
    '1 hour',
    '90 s',
    '2 minutes',
  ]);
  expect(formatElapsed(763_400)).toBe('00:12:43');
  expect(formatElapsed(86_400_000 * 3 + 1000)).toBe('3d 00:00:01');
  expect(formatElapsed(-5)).toBe('00:00:00');
});

test('instants of the session are seconds', () => {
  expect(formatSeconds(763_449)).toBe('763.4 s');
  expect(formatSeconds(763_449, 3)).toBe('763.449 s');
});

test('instants of the wall clock carry ms or a date', () => {
  expect(formatClock(Date.UTC(2026, 10, 22, 14, 3, 7, 250))).toBe('14:03:07.250');
  expect(formatInstant(Date.UTC(2026, 10, 22, 14, 3, 7, 250))).toBe('2026-11-22 14:03:07');
});

test('ages stay short', () =>
  expect([0, 4_400, 180_000, 7_300_000].map(formatAge)).toEqual(['0 s ago', '4 s ago', '3 min ago', '2 h ago']));

test('addresses are hex', () => expect(formatHex(0x7f00_dead)).toBe('0x7f00dead'));

test('a unit of the manifest decides how a number looks, and ids are never grouped', () => {
  expect(formatUnit(12_400, 'ns')).toBe('12.4 µs');
  expect(formatUnitExact(12_400, 'ns')).toBe('12,400 ns');
  expect(formatUnit(31_337, 'id')).toBe('31337');
  expect(formatUnitExact(31_337, 'count')).toBe('31,337');
  expect(formatUnit(undefined, 'id')).toBe(noValue);
});

test('nouns follow their count', () => {
  expect([formatPlural(1, 'probe'), formatPlural(5, 'probe'), formatPlural(2, 'entry', 'entries')]).toEqual([
    '1 probe',
    '5 probes',
    '2 entries',
  ]);
});
