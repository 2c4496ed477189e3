import { describe, expect, test } from 'vitest';
import { readParameter } from './parameter-form.ts';
import { tableText } from './table-data.ts';

const threshold = {
  name: 'thresholdNs',
  title: 'slower than',
  unit: 'ns',
  minimum: 1000,
  maximum: 10_000_000,
  default: 10_000,
  description: 'd',
} as const;

describe('a parameter', () => {
  test('is its default while nothing is typed', () =>
    expect(readParameter(threshold, ' ')).toEqual({ isValid: true, value: 10_000, meaning: '10 µs' }));

  test('may be typed in groups', () => expect(readParameter(threshold, '25 000')).toMatchObject({ value: 25_000 }));

  test.each([
    ['999', '1,000 to 10,000,000'],
    ['10000001', '1,000 to 10,000,000'],
    ['99999999999999999999', 'a whole number, please'],
    ['1e6', 'a whole number, please'],
    ['0x10', 'a whole number, please'],
    ['-5', 'a whole number, please'],
    ['1; id', 'a whole number, please'],
  ])('%s is refused with words', (typed, why) =>
    expect(readParameter(threshold, typed)).toEqual({ isValid: false, why }),
  );
});

test('a table as text lines its columns up', () => {
  const table = {
    columns: [
      { id: 'process', title: 'process', align: 'start' },
      { id: 'reads', title: 'reads', align: 'end' },
    ],
    rows: [
      { key: 'a', cells: ['postgres', '1,000'] },
      { key: 'b', cells: ['sh', '7'] },
    ],
  } as const;
  expect(tableText('who', table)).toBe('who\n\nprocess   reads\npostgres  1,000\nsh            7\n');
});
