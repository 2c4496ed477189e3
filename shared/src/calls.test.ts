import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CallCollector } from './calls.ts';
import type { Column } from './probe-manifest.ts';

const column = (name: string, type: Column['type']): Column => ({
  name,
  title: name,
  unit: 'none',
  type,
  description: name,
});
const columns = [
  column('atNs', 'timeNs'),
  column('cpu', 'u16'),
  column('pid', 'u32'),
  column('waitNs', 'f64'),
  column('comm', 'text'),
];

const push = (collector: CallCollector, line: string, before = ''): string => {
  const bytes = new TextEncoder().encode(`${before}${line}\n`);
  const start = new TextEncoder().encode(before).length;
  return collector.push(bytes, start, bytes.length - 1);
};

describe('calls from printed tuples', () => {
  it('read the same values as JSON.parse does', () => {
    const row = fc.tuple(
      fc.nat(2 ** 50),
      fc.nat(255),
      fc.nat(4_000_000),
      fc.nat(2 ** 50),
      fc.string({ unit: 'grapheme', maxLength: 15 }),
    );
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 40 }), (rows) => {
        const collector = new CallCollector(columns, 1000);
        for (const one of rows) {
          const line = `{"type": "value", "data": ${JSON.stringify(one)}}`;
          expect(push(collector, line, 'rest of the line before\n')).toBe('taken');
        }
        const { calls, callCount } = collector.take();
        expect(callCount).toBe(rows.length);
        const texts = collector.texts.texts;
        const read = rows.map((_, at) =>
          calls.map((values, position) => (position === 4 ? texts[values[at] ?? -1] : values[at])),
        );
        expect(read).toEqual(rows);
      }),
    );
  });

  it('read a text in any column, commas and quotes in it', () => {
    const collector = new CallCollector(
      [column('device', 'text'), column('atNs', 'timeNs'), column('comm', 'text')],
      10,
    );
    const row = ['0000:01:00.0', 7, 'a,"b'] as const;
    expect(push(collector, `{"type": "value", "data": ${JSON.stringify(row)}}`)).toBe('taken');
    expect(collector.pushRow(row)).toBe('taken');
    const { calls } = collector.take();
    for (const at of [0, 1]) {
      const [device = -1, atNs, comm = -1] = calls.map((values) => values[at]);
      expect([collector.texts.texts[device], atNs, collector.texts.texts[comm]]).toEqual(row);
    }
  });

  it('read a quoted number, as 0.27 prints those beyond 2^53, and clamp a negative one', () => {
    const collector = new CallCollector(columns, 10);
    expect(push(collector, '{"type": "value", "data": ["18446744073709551615",0,1,-1,"x"]}')).toBe('taken');
    expect(collector.take().calls.map((values) => values[0])).toEqual([18446744073709552000, 0, 1, 0, 0]);
  });

  it('leave other records to the line decoder', () => {
    const collector = new CallCollector(columns, 10);
    expect(push(collector, '{"type": "map", "data": {"@seen": 3}}')).toBe('other');
    expect(push(collector, '')).toBe('other');
  });

  it('read a tuple decoded elsewhere the same way', () => {
    const collector = new CallCollector(columns, 10);
    expect(collector.pushRow([1, 2, 3, '18446744073709551615', 'a,"b'])).toBe('taken');
    expect(collector.pushRow([1, 2, 3, 4])).toBe('malformed');
    expect(collector.pushRow([1, 2, 'x', 4, 'y'])).toBe('malformed');
    expect(collector.take().calls.map((values) => values[0])).toEqual([1, 2, 3, 18446744073709552000, 0]);
    expect(collector.texts.texts[0]).toBe('a,"b');
  });

  it.each([
    ['too few columns', '[1,2,3,4]'],
    ['too many columns', '[1,2,3,4,"x",5]'],
    ['a text for a number', '["x",2,3,4,"x"]'],
    ['a number for the text', '[1,2,3,4,5]'],
    ['a text that does not end', '[1,2,3,4,"x'],
    ['a half number', '[1,2,3,'],
  ])('refuse %s', (_name, data) => {
    const collector = new CallCollector(columns, 10);
    expect(push(collector, `{"type": "value", "data": ${data}}`)).toBe('malformed');
    expect(collector.take().callCount).toBe(0);
  });

  it('take no more than may wait, and say so', () => {
    const collector = new CallCollector(columns, 2);
    const line = '{"type": "value", "data": [1,2,3,4,"x"]}';
    expect([push(collector, line), push(collector, line), push(collector, line)]).toEqual(['taken', 'taken', 'full']);
    collector.take();
    expect(push(collector, line)).toBe('taken');
  });
});
