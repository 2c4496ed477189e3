import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensure, matrixBytesMax } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readMatrix, readMatrixFile } from './matrix.ts';

const own = readFileSync(new URL('../../../lab/matrix.toml', import.meta.url), 'utf8');

function plansOf(text: string): readonly (readonly unknown[])[] {
  const read = readMatrix(text, '/home');
  if (!read.ok) throw new Error(read.error.message);
  return read.value.map(({ workload: { workload, barBytes, isMisaligned }, runCount }) => [
    workload,
    barBytes / 1024 ** 2,
    isMisaligned,
    runCount,
  ]);
}

describe('a matrix', () => {
  it('of this working copy compares touch and dma-map, aligned and misaligned', () => {
    expect(plansOf(own)).toEqual([
      ['touch', 64, false, 10],
      ['touch', 64, true, 10],
      ['dma-map', 64, false, 10],
      ['dma-map', 64, true, 10],
    ]);
    expect(ensure(readMatrix(own, '/home').ok, 'read')).toBe(true);
  });

  it('leaves out what cannot be misaligned, and has sizes of its own', () => {
    const text =
      'kernels = ["a", "b"]\nworkloads = ["sysfs", "zap"]\nbars = ["8M", "1G"]\nmisaligned = [false, true]\nruns = 3';
    expect(plansOf(text)).toEqual([
      ['sysfs', 8, false, 3],
      ['sysfs', 1024, false, 3],
      ['zap', 8, false, 3],
      ['zap', 8, true, 3],
      ['zap', 1024, false, 3],
      ['zap', 1024, true, 3],
    ]);
  });

  it.each([
    ['kernels = [', 'no matrix'],
    ['kernels = ["a"]\nworkloads = ["touch"]\nbars = ["8M"]', '/kernels'],
    ['kernels = ["a", "a"]\nworkloads = ["touch"]\nbars = ["8M"]', '/kernels'],
    ['kernels = ["a", "b"]\nworkloads = ["dance"]\nbars = ["8M"]', '/workloads'],
    ['kernels = ["a", "b"]\nworkloads = ["touch"]\nbars = ["9M"]', 'no size of a BAR'],
    ['kernels = ["a", "b"]\nworkloads = ["touch"]\nbars = ["8M"]\nruns = 0', '/runs'],
    ['kernels = ["a", "b"]\nworkloads = ["touch"]\nbars = ["8M", "8192K"]', 'the same size'],
    ['kernels = ["./a", "/home/a"]\nworkloads = ["touch"]\nbars = ["8M"]', 'the same folder'],
    ['kernels = ["a", "b"]\nworkloads = ["touch"]\nbars = ["8M"]\ncolour = 1', 'no matrix'],
  ])('is refused with a word about why: %j', (text, why) => {
    const read = readMatrix(text, '/home');
    expect(read.ok ? '' : read.error.message).toContain(why);
  });
});

describe('the file of a matrix', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-matrix-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const readIt = async (text: string): Promise<Awaited<ReturnType<typeof readMatrixFile>>> => {
    const file = join(folder, 'matrix.toml');
    writeFileSync(file, text);
    return readMatrixFile(file);
  };

  it('names folders of kernels from where it lies, whoever reads it', async () => {
    const read = await readIt('kernels = ["6.1", "./linux", "/src/b"]\nworkloads = ["touch"]\nbars = ["8M"]');
    expect(read.ok ? read.value[0]?.kernels : read.error).toEqual(['6.1', join(folder, 'linux'), '/src/b']);
  });

  it('is told by name, with what is wrong and where', async () => {
    const read = await readIt('runs = 3\nkernels = [');
    expect(read.ok ? '' : read.error.message).toMatch(
      /matrix\.toml: this is no matrix: line \d, column \d+: Invalid TOML/,
    );
    expect(read.ok ? '' : read.error.message).not.toContain('\n');
  });

  it('is neither a folder, nor a device that never ends, nor longer than any matrix, nor elsewhere', async () => {
    const why = async (file: string): Promise<string> => {
      const read = await readMatrixFile(file);
      return read.ok ? '' : read.error.message;
    };
    expect(await why(folder)).toBe(`${folder}: this is no file`);
    expect(await why('/dev/zero')).toBe('/dev/zero: this is no file');
    expect(await why(join(folder, 'none'))).toContain('no such file');
    const long = await readIt(`# ${'x'.repeat(matrixBytesMax)}`);
    expect(long.ok ? '' : long.error.message).toContain('it has more than 64 KiB');
  });
});
