import { describe, expect, it } from 'vitest';
import { type Request, readCommandLine } from './program.ts';

function read(line: string): { readonly request: Request; readonly err: string } {
  let err = '';
  const terminal = { out: () => undefined, err: (text: string) => void (err += text) };
  return { request: readCommandLine(line.split(' '), {}, terminal, '1'), err };
}

describe('lab compare', () => {
  it('takes kernels by place or by name, and what to run in them', () => {
    const words = {
      kernels: ['6.1', '6.12'],
      workload: 'dma-map',
      barBytes: 64 * 1024 ** 2,
      isMisaligned: false,
      repetitions: 1,
      runCount: 10,
      series: undefined,
      metrics: [],
      marginShare: 0.03,
      format: 'text',
    };
    expect(read('lab compare 6.1 6.12 --workload dma-map').request).toMatchObject({ kind: 'lab-compare', words });
    expect(read('lab compare --workload dma-map --baseline 6.1 --candidate 6.12').request).toMatchObject({ words });
    const more = '--bar 128M --misaligned --runs 3 --count 2 --series mine --metric faults --margin 5% --json';
    expect(read(`lab compare 6.1 ./linux --workload touch ${more} --store /s`).request).toMatchObject({
      store: { folder: '/s' },
      words: {
        kernels: ['6.1', './linux'],
        barBytes: 128 * 1024 ** 2,
        isMisaligned: true,
        runCount: 3,
        repetitions: 2,
        series: 'mine',
        metrics: ['faults'],
        marginShare: 0.05,
        format: 'json',
      },
    });
  });

  it.each([
    ['lab compare 6.1 --workload touch', 'two to 8 kernels'],
    ['lab compare 6.1 6.1 --workload touch', 'each once'],
    ['lab compare 6.1 6.12', '--workload'],
    ['lab compare 6.1 6.12 --matrix lab/matrix.toml', 'says itself'],
    ['lab compare 6.1 6.12 --workload dance', 'no workload'],
    ['lab compare 6.1 6.12 --workload touch --runs 0', 'number of times'],
    ['lab compare 6.1 6.12 --workload touch --runs 1001', 'too many'],
  ])('refuses %s', (line, why) => {
    const { request, err } = read(line);
    expect(request).toEqual({ kind: 'said', status: 2 });
    expect(err).toContain(why);
  });
});
