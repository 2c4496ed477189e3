import { describe, expect, it } from 'vitest';
import { metricSpecs, type MapSpec, type Stream } from './probe-manifest.ts';
import { summariseRun } from './summary.ts';

const spec = (map: string, metric: string): MapSpec => ({
  map,
  metric,
  title: metric,
  unit: 'count',
  kind: 'count',
  role: 'figure',
  key: [{ name: 'comm', kind: 'text' }],
});
const stream = { maps: [spec('@a', 'attempts'), spec('@b', 'pages'), spec('@c', 'attempts')] };

describe('a metric that several maps feed', () => {
  it('is one metric, at its first place, with every total once', () => {
    expect(metricSpecs(stream).map(({ map }) => map)).toEqual(['@a', '@b']);
    const cells = ['pages', 'attempts'].map((metric, cell) => ({ cell, metric, dims: { comm: 'x' } }));
    const run = {} as Parameters<typeof summariseRun>[0];
    const { totals } = summariseRun(run, stream as Stream, { cells, totals: [3, 5] }, 1);
    expect(totals.map(({ metric, value }) => [metric, value])).toEqual([
      ['attempts', 5],
      ['pages', 3],
    ]);
  });
});
