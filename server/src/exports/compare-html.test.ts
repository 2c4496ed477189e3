import { compareSides, comparedRun, type ComparedSideView, type ComparisonAnswer } from '@faultline/shared';
import { expect, it } from 'vitest';
import { compareHtml } from './compare-html.ts';

const evil = '<img src=x onerror=alert(1)>"\'&\u001b[2J';

/** Two sides whose names, processes and functions were written by somebody who means harm. */
function hostileAnswer(candidateCount = 1): ComparisonAnswer {
  const runs = [1, 2].map((number) =>
    comparedRun({
      ...{ id: `${evil}${number}`, build: evil, startedAtMs: number, identity: undefined },
      streams: [],
    }),
  );
  const side = (title: string): ComparedSideView => ({
    title,
    isEmulated: false,
    work: { name: evil, arguments: [evil] },
    runs: runs.map(({ id, build, startedAtMs, durationSec }) => ({ id, build, startedAtMs, durationSec })),
    path: {
      era: 'a',
      nodes: [
        {
          ...{
            id: evil,
            name: evil,
            column: 0,
            row: 0,
            kind: 'measured',
            total: 1,
            perSec: undefined,
            p99Ns: undefined,
          },
          locks: [{ lock: evil, count: 1 }],
          violations: 1,
        },
      ],
      edges: [],
    },
    assertion: {
      checks: 1,
      violations: [
        {
          ...{ key: evil, site: evil, expected: evil, actual: evil, kernel: evil, mine: evil, needed: evil },
          ...{ process: evil, count: 1, stack: [evil] },
        },
      ],
      warnsDue: 2,
      warns: [{ key: evil, process: evil, count: 1, stack: [evil] }],
    },
  });
  const titles = Array.from({ length: candidateCount }, (_, at) => `${evil}b${String(at)}`);
  const [candidate, ...furtherCandidates] = titles.map(side);
  if (candidate === undefined) throw new Error('there is a candidate');
  const comparison = compareSides(
    { title: `${evil}a`, runs },
    titles.map((title) => ({ title, runs })),
  );
  return { baseline: side(`${evil}a`), candidate, furtherCandidates, comparison };
}

it.each([1, 3])('lets nothing of a name become mark-up, wherever it stands, of %i candidates', (count) => {
  const html = compareHtml(hostileAnswer(count));
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(html).not.toContain('<img');
  expect(html).not.toContain('\u001b');
  expect(html).not.toMatch(/<script|<link|<iframe|https?:|url\(/i);
});

it('has one table of all candidates, and then each of them', () => {
  const html = compareHtml(hostileAnswer(3));
  expect(html).toContain('<h1>3 candidates against ');
  expect(html.match(/<h2>Metrics<\/h2>/g)).toHaveLength(3);
  expect(compareHtml(hostileAnswer(1)).match(/<h1/g)).toHaveLength(1);
});
