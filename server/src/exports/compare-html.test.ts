import { compareSides, comparedRun, type ComparedSideView, type ComparisonAnswer } from '@faultline/shared';
import { expect, it } from 'vitest';
import { compareHtml } from './compare-html.ts';

const evil = '<img src=x onerror=alert(1)>"\'&\u001b[2J';

/** Two sides whose names, processes and functions were written by somebody who means harm. */
function hostileAnswer(): ComparisonAnswer {
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
      warns: [{ key: evil, process: evil, count: 1, stack: [evil] }],
    },
  });
  const [baseline, candidate] = [`${evil}a`, `${evil}b`];
  const sides = [baseline, candidate].map((title) => ({ title, runs }));
  const [from, to] = sides;
  if (from === undefined || to === undefined) throw new Error('there are two sides');
  return { baseline: side(baseline), candidate: side(candidate), comparison: compareSides(from, [to]) };
}

it('lets nothing of a name become mark-up, wherever it stands, and has no script and no address in it', () => {
  const html = compareHtml(hostileAnswer());
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(html).not.toContain('<img');
  expect(html).not.toContain('\u001b');
  expect(html).not.toMatch(/<script|<link|<iframe|https?:|url\(/i);
});
