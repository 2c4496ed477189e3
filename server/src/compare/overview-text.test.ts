import type { CandidateComparison, Comparison, MetricComparison } from '@faultline/shared';
import { expect, it } from 'vitest';
import { overviewMarkdown, overviewText } from './overview-text.ts';

const faults = {
  id: 'faults',
  title: 'Faults',
  unit: 'count',
  kind: 'amount',
  better: 'lower',
  decides: true,
} as const;

function row(to: number): MetricComparison {
  return {
    metric: faults,
    baseline: [1_234_567, 1_234_567],
    candidate: [to, to],
    test: { kind: 'exact', from: 1_234_567, to },
    verdict: 'improved',
  };
}

function comparison(titles: readonly string[]): Comparison {
  const candidates = titles.map(
    (title, at): CandidateComparison => ({
      ...{ title, runCount: 2, verdict: 'improved', sentence: '', gate: [], findings: [] },
      // The last has nothing to say of faults.
      ...{ metrics: at === titles.length - 1 ? [] : [row(1_000_001 + at)], shift: [], overlay: [], drifts: [] },
    }),
  );
  const baseline = { title: 'a-baseline-of-a-long-name', runCount: 2, noise: [] };
  return {
    comparisonVersion: 1,
    thresholds: { marginShare: 0.03, alpha: 0.05 },
    ...{ baseline, candidates, verdict: 'improved' },
  };
}

it('lays seven builds below each other where 72 columns do not hold them, none twice, each under its name', () => {
  const titles = ['v0', 'v1', 'v2', 'v3', 'v4', 'a-build-with-a-name-1', 'a-build-with-a-name-2'];
  const text = overviewText(comparison(titles));
  const lines = text.split('\n');
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(72);
  const heads = lines.filter((line) => line.startsWith('metric')).map((line) => line.split(/ {2,}/).slice(2));
  expect(heads.length).toBeGreaterThan(1);
  expect(heads.flat()).toEqual([...titles.slice(0, 5), 'a-build-…ame-1', 'a-build-…ame-2']);
  for (const at of [0, 1, 2, 3, 4, 5]) expect(text.split(`1,000,00${String(at + 1)} ▼`)).toHaveLength(2);
  expect(lines.filter((line) => line.startsWith('Faults *')).at(-1)).toMatch(/–$/);
});

it('lets no name of a build become mark-up of Markdown', () => {
  expect(overviewMarkdown(comparison(['**|bold|**', '<b>']))).toContain(
    String.raw`| metric | a-baseline-of-a-long-name | \*\*\|bold\|\*\* | \<b\> |`,
  );
});
