import { lineBytesMax, stdoutBytesPerSecMax } from '@faultline/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './bpftrace-lines.ts';

function collect(): { splitter: LineSplitter; lines: string[]; oversize: number[]; flooded: number[] } {
  const seen = { lines: [] as string[], oversize: [] as number[], flooded: [] as number[] };
  const splitter = new LineSplitter({
    line: (bytes, start, end) => seen.lines.push(new TextDecoder().decode(bytes.slice(start, end))),
    oversize: (bytesCount) => seen.oversize.push(bytesCount),
    flood: (bytesCount) => seen.flooded.push(bytesCount),
  });
  return { splitter, ...seen };
}

describe('lines from chunks', () => {
  it('are the same wherever the chunks are cut', () => {
    const texts = fc.array(
      fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !text.includes('\n')),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(texts, fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }), (lines, cuts) => {
        const { splitter, lines: seen } = collect();
        const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
        let at = 0;
        for (let cut = 0; at < bytes.length; cut += 1) {
          const next = at + (cuts[cut % cuts.length] ?? 1);
          splitter.push(bytes.subarray(at, next), 0);
          at = next;
        }
        splitter.end();
        expect(seen).toEqual(lines);
      }),
    );
  });

  it('keep a last line without newline', () => {
    const { splitter, lines } = collect();
    splitter.push(new TextEncoder().encode('a\nb'), 0);
    splitter.end();
    expect(lines).toEqual(['a', 'b']);
  });

  it('take a line of exactly the bound, skip one byte more, and go on with the next', () => {
    const { splitter, lines, oversize } = collect();
    const piece = new Uint8Array(lineBytesMax / 4).fill(0x78);
    for (let part = 0; part < 4; part += 1) splitter.push(piece, 0);
    splitter.push(new TextEncoder().encode('\n'), 0);
    expect(lines.map((line) => line.length)).toEqual([lineBytesMax]);
    for (let part = 0; part < 4; part += 1) splitter.push(piece, 0);
    splitter.push(new TextEncoder().encode('x\nnext\n'), 0);
    expect(oversize).toHaveLength(1);
    expect(lines.slice(1)).toEqual(['next']);
  });

  it('throw away what comes beyond the bytes a second, and never glue two half lines', () => {
    const { splitter, lines, flooded } = collect();
    const filler = new TextEncoder().encode(`${'y'.repeat(1024 * 1024)}\n`);
    splitter.push(new TextEncoder().encode('begun'), 0);
    for (let sent = 0; sent <= stdoutBytesPerSecMax; sent += filler.length) splitter.push(filler, 10);
    expect(flooded.length).toBeGreaterThan(0);
    lines.length = 0;
    splitter.push(new TextEncoder().encode('rest of a cut line\nwhole\n'), 2000);
    expect(lines).toEqual(['whole']);
  });
});
