import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textTable, wrapText } from './text-table.ts';

describe('a table', () => {
  const columns = [
    { title: 'name', align: 'left' },
    { title: 'count', align: 'right' },
    { title: 'why', align: 'left', wraps: true },
  ] as const;

  it('is as wide as needed, figures to the right', () => {
    expect(
      textTable(
        columns,
        [
          ['a', '1', 'short'],
          ['bcdef', '1,234', ''],
        ],
        80,
      ),
    ).toEqual(['name   count  why', 'a          1  short', 'bcdef  1,234']);
  });

  it('wraps one column where the room ends, and keeps its line breaks', () => {
    expect(textTable(columns, [['a', '1', 'one two three four five\n→ six']], 30)).toEqual([
      'name  count  why',
      'a         1  one two three',
      '             four five',
      '             → six',
    ]);
  });

  it('has no header when no column has a title', () => {
    expect(textTable([{ title: '', align: 'left' }], [['x']], 10)).toEqual(['x']);
  });

  it('never grows wider than asked for while the wrapped column can give way, and loses no word', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,9}$/), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(words, fc.integer({ min: 40, max: 100 }), (text, width) => {
        const lines = textTable(columns, [['abc', '12', text.join(' ')]], width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        expect(
          lines
            .slice(1)
            .join(' ')
            .split(/ +/)
            .filter((word) => word !== ''),
        ).toEqual(['abc', '12', ...text]);
      }),
    );
  });
});

describe('wrapped text', () => {
  it('cuts a stack between its frames, where a frame fits', () => {
    expect(wrapText('at do_it;from_here;by_me', 16)).toEqual(['at', 'do_it;from_here;', 'by_me']);
    expect(wrapText('do_it;from_somewhere_far;by_me', 10)).toEqual(['do_it;', 'from_somew', 'here_far;', 'by_me']);
  });

  it('cuts a word that no line can hold', () => {
    expect(wrapText('ab abcdefgh', 4)).toEqual(['ab', 'abcd', 'efgh']);
    expect(wrapText('', 4)).toEqual(['']);
  });
});
