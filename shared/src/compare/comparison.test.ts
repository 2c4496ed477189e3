import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ComparisonOptions, compareSides } from './comparison.ts';
import { type MadeUp, madeUpRun } from './fixtures/made-up-run.ts';
import { fixedRandom } from './permutation.ts';
import { comparedRun } from './run.ts';
import { mirrored } from './verdict.ts';

function side(title: string, runs: readonly MadeUp[]): Parameters<typeof compareSides>[0] {
  return {
    title,
    runs: runs.map((run, at) => comparedRun(madeUpRun({ build: title, runNumber: at + 1, ...run }))),
  };
}

/** Runs whose faults take these times, ns. */
function timed(title: string, timesNs: readonly number[], more: MadeUp = {}): ReturnType<typeof side> {
  return side(
    title,
    timesNs.map((faultNs) => ({ ...more, faultNs })),
  );
}

function only(
  baseline: ReturnType<typeof side>,
  candidate: ReturnType<typeof side>,
  options: ComparisonOptions = {},
): ReturnType<typeof compareSides>['candidates'][number] {
  const [one] = compareSides(baseline, [candidate], options).candidates;
  if (one === undefined) throw new Error('there is one candidate');
  return one;
}

function row(compared: ReturnType<typeof only>, id: string): (typeof compared.metrics)[number] | undefined {
  return compared.metrics.find(({ metric }) => metric.id === id);
}

/** Times of ten runs about a level, some per cent apart, always the same ones. */
function around(levelNs: number, spread: number, seed: number, count = 10): readonly number[] {
  const random = fixedRandom(seed);
  return Array.from({ length: count }, () =>
    Math.round(levelNs * Math.exp(spread * (random() + random() + random() - 1.5))),
  );
}

describe('a comparison', () => {
  it('says what a maintainer asked: 32 faults where it was 1, in less time, and no violation', () => {
    const old = timed('6.1', around(40e6, 0.05, 1), { violations: 1 });
    const young = timed('6.12', around(0.5e6, 0.05, 2), { faults: 32, era: 'd' });
    const found = only(old, young);
    expect(row(found, 'faults')).toMatchObject({ test: { kind: 'exact', from: 1, to: 32 }, verdict: 'regressed' });
    expect(row(found, 'violations')).toMatchObject({ test: { kind: 'exact', from: 1, to: 0 }, verdict: 'improved' });
    expect(row(found, 'faultTime')).toMatchObject({ test: { kind: 'ratio' }, verdict: 'improved' });
    expect(found.verdict).toBe('improved');
    expect(found.sentence).toMatch(
      /^6\.12 against 6\.1: improved\. It takes 32 faults where 6\.1 took 1, spends 0\.\d+ × \[0\.\d+–0\.\d+\] the time in them and never breaks the lock assertion, which 6\.1 does \(1 a run\)\.$/,
    );
    expect(found.gate.map(({ name }) => name)).toContain('era');
  });

  it('finds a violation that is new on the candidate, once in ten runs and however fast it is', () => {
    const old = timed('a', around(40e6, 0.02, 1));
    const young = side(
      'b',
      around(10e6, 0.02, 2).map((faultNs, at) => ({ faultNs, violations: at === 3 ? 1 : 0 })),
    );
    const found = only(old, young);
    expect(found.verdict).toBe('regressed');
    expect(found.findings[0]).toContain('some in 1 of 10 runs');
  });

  it('never makes a percentage of a zero baseline', () => {
    const old = side(
      'a',
      [0, 0, 0, 0, 0].map((violations) => ({ violations })),
    );
    const young = side(
      'b',
      [3, 1, 4, 2, 3].map((violations) => ({ violations })),
    );
    expect(row(only(old, young), 'violations')?.test).toMatchObject({ kind: 'difference', difference: 2.6 });
  });

  it('calls runs the same when the whole interval is inside the margin, and not before', () => {
    const old = timed('a', around(1e6, 0.02, 1, 20));
    const young = timed('b', around(1e6, 0.02, 2, 20));
    expect(row(only(old, young), 'faultTime')?.verdict).toBe('same');
    const strict = row(only(old, young, { marginShare: 0.002 }), 'faultTime');
    expect(strict?.verdict).toBe('need-more-runs');
    expect(strict?.runsNeeded).toBeGreaterThan(20);
  });

  it('finds no regression in a difference that is sure and too small to act on', () => {
    const old = timed('a', around(1e6, 0.02, 1, 20));
    const young = timed('b', around(1.022e6, 0.02, 2, 20));
    const found = row(only(old, young, { metrics: ['faultTime'] }), 'faultTime');
    expect(found?.test).toMatchObject({ kind: 'ratio' });
    expect(found?.test.kind === 'ratio' && found.test.pAdjusted < 0.05 && found.test.high > 1.03).toBe(true);
    expect(found?.verdict).toBe('need-more-runs');
  });

  it('wants more runs of one, of two far apart, and says how many', () => {
    expect(only(timed('a', [1e6]), timed('b', [2e6]))).toMatchObject({ verdict: 'need-more-runs', runsNeeded: 2 });
    const found = only(timed('a', [1e6, 1.6e6, 0.7e6]), timed('b', [1.2e6, 1.9e6, 0.9e6]));
    expect(found.verdict).toBe('need-more-runs');
    expect(found.runsNeeded).toBeGreaterThan(10);
  });

  it('takes the number it says: with so many runs of that spread it decides', () => {
    const few = only(timed('a', around(1e6, 0.2, 1, 4)), timed('b', around(1.1e6, 0.2, 2, 4)), {
      metrics: ['faultTime'],
    });
    expect(few.verdict).toBe('need-more-runs');
    const count = Math.ceil(1.5 * (few.runsNeeded ?? 0));
    const many = only(timed('a', around(1e6, 0.2, 1, count)), timed('b', around(1.1e6, 0.2, 2, count)), {
      metrics: ['faultTime'],
    });
    expect(many.verdict).toBe('regressed');
  });

  it('judges by the metrics that were asked for, and by them alone', () => {
    const old = timed('a', around(40e6, 0.02, 1));
    const young = timed('b', around(40e6, 0.02, 2), { faults: 2 });
    expect(only(old, young, { metrics: ['faults'] })).toMatchObject({ verdict: 'regressed' });
    expect(only(old, young, { metrics: ['faults'] }).metrics).toHaveLength(1);
    expect(
      only(old, young, { metrics: ['violations', 'timePerFault'] }).metrics.map(({ metric }) => metric.id),
    ).toEqual(['timePerFault']);
  });

  it('compares runs without a workload by the second', () => {
    const blank = (faults: number): MadeUp => ({ faults, source: { work: undefined } });
    const found = only(
      side(
        'a',
        [1, 2].map(() => blank(10)),
      ),
      side(
        'b',
        [1, 2].map(() => blank(20)),
      ),
    );
    expect(row(found, 'faults')).toMatchObject({
      metric: { title: 'Faults a second' },
      baseline: [5, 5],
      candidate: [10, 10],
    });
  });

  it('tells a side that drifts', () => {
    const steady = timed('a', around(1e6, 0.02, 1));
    const warming = timed(
      'b',
      around(1e6, 0.02, 2).map((value, at) => Math.round(value * 1.05 ** at)),
    );
    expect(only(steady, warming).drifts.filter(({ metric }) => metric === 'faultTime')).toMatchObject([
      { side: 'candidate' },
    ]);
  });

  it('shows what the baseline against itself would: as wide as the interval of two such sides', () => {
    const values = around(1e6, 0.05, 1);
    const twice = compareSides(timed('a', values), [timed('b', values)], { metrics: ['faultTime'] });
    const [floor] = twice.baseline.noise;
    const test = row(only(timed('a', values), timed('b', values)), 'faultTime')?.test;
    expect(test?.kind === 'ratio' ? test.high - 1 : undefined).toBeCloseTo(floor?.noise.halfWidthShare ?? 0, 12);
    expect(Math.abs((floor?.noise.splitRatio ?? 0) - 1)).toBeLessThan(0.05);
  });

  it('has a baseline and many candidates, and the worst decides', () => {
    const base = timed('a', around(1e6, 0.02, 1, 20));
    const good = timed('b', around(0.5e6, 0.02, 2, 20));
    const bad = timed('c', around(2e6, 0.02, 3, 20));
    const found = compareSides(base, [good, bad]);
    expect(found.candidates.map(({ verdict }) => verdict)).toEqual(['improved', 'regressed']);
    expect(found.verdict).toBe('regressed');
  });
});

describe('many candidates', () => {
  const base = timed('a', around(1e6, 0.02, 1));
  const options = { metrics: ['faultTime', 'timePerFault'] };
  const pOf = (found: ReturnType<typeof compareSides>, at: number): number | undefined => {
    const test = found.candidates[at]?.metrics[0]?.test;
    return test?.kind === 'ratio' ? test.pAdjusted / test.p : undefined;
  };

  it('are corrected for together: of two metrics and three candidates the smallest p counts six times', () => {
    const others = [1.05e6, 1e6, 1e6].map((level, at) => timed(`c${at}`, around(level, 0.02, at + 2)));
    const [one] = others;
    if (one === undefined) throw new Error('three candidates');
    expect(pOf(compareSides(base, [one], options), 0)).toBeCloseTo(2, 9);
    expect(pOf(compareSides(base, others, options), 0)).toBeCloseTo(6, 9);
  });

  it('are not corrected for one that the gate keeps out', () => {
    const good = timed('b', around(1.05e6, 0.02, 2));
    const other = timed('c', around(1e6, 0.02, 3), { barBytes: 1024 ** 2 });
    const found = compareSides(base, [good, other], options);
    expect(found.candidates.map(({ verdict }) => verdict)).toEqual(['regressed', 'not-comparable']);
    expect(pOf(found, 0)).toBeCloseTo(2, 9);
    expect(found.candidates[1]?.metrics[0]).toMatchObject({ test: { kind: 'none' }, why: 'see the gate' });
  });

  it('of one kernel cry wolf in no more than 1 of 20 tables of five', () => {
    const alarms = Array.from({ length: 200 }, (_, at) => {
      const sides = [1, 2, 3, 4, 5, 6].map((seed) => timed(`k${seed}`, around(1e6, 0.1, 10 * at + seed, 6)));
      const [first, ...rest] = sides;
      if (first === undefined) throw new Error('six sides');
      const found = compareSides(first, rest, { marginShare: 0.001, metrics: ['faultTime'] });
      return found.candidates.some(({ verdict }) => verdict === 'regressed' || verdict === 'improved');
    }).filter(Boolean).length;
    expect(alarms / 200).toBeLessThanOrEqual(0.07);
    expect(alarms).toBeGreaterThan(0);
  });
});

const timesNs = fc.array(fc.integer({ min: 50_000, max: 200_000 }), { minLength: 2, maxLength: 6 });

describe('whatever the times are', () => {
  it('swapping the sides mirrors every verdict, and turns every ratio over', () => {
    fc.assert(
      fc.property(timesNs, timesNs, fc.constantFrom(0, 1), (left, right, violations) => {
        const [a, b] = [timed('a', left, { violations }), timed('b', right)];
        const [there, back] = [only(a, b), only(b, a)];
        for (const one of there.metrics) {
          const other = row(back, one.metric.id);
          expect(other?.verdict).toBe(mirrored(one.verdict));
          expect(other?.runsNeeded).toBe(one.runsNeeded);
          if (one.test.kind !== 'ratio' || other?.test.kind !== 'ratio') continue;
          expect(one.test.ratio * other.test.ratio).toBeCloseTo(1, 9);
          expect(one.test.low * other.test.high).toBeCloseTo(1, 9);
          expect(one.test.p).toBeCloseTo(other.test.p, 9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('the same runs once more make the interval narrower', () => {
    fc.assert(
      fc.property(timesNs, timesNs, (left, right) => {
        const options = { metrics: ['faultTime'] };
        const once = row(only(timed('a', left), timed('b', right), options), 'faultTime')?.test;
        const twice = row(
          only(timed('a', [...left, ...left]), timed('b', [...right, ...right]), options),
          'faultTime',
        )?.test;
        fc.pre(once?.kind === 'ratio' && twice?.kind === 'ratio');
        if (once?.kind !== 'ratio' || twice?.kind !== 'ratio') return;
        expect(twice.ratio).toBeCloseTo(once.ratio, 9);
        expect(twice.high / twice.low).toBeLessThan(once.high / once.low);
      }),
      { numRuns: 40 },
    );
  });

  it('the order of the runs and a common factor change no verdict', () => {
    fc.assert(
      fc.property(timesNs, timesNs, (left, right) => {
        const options = { metrics: ['faultTime'] };
        const plain = only(timed('a', left), timed('b', right), options);
        const turned = only(timed('a', left.toReversed()), timed('b', right.toReversed()), options);
        const scaled = only(
          timed(
            'a',
            left.map((one) => 8 * one),
          ),
          timed(
            'b',
            right.map((one) => 8 * one),
          ),
          options,
        );
        expect(turned.verdict).toBe(plain.verdict);
        expect(scaled.verdict).toBe(plain.verdict);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a kernel against itself', () => {
  it('is told to differ in no more than 1 of 20 comparisons of ten runs a side', () => {
    const verdicts = Array.from({ length: 200 }, (_, at) => {
      const [a, b] = [2 * at + 1, 2 * at + 2].map((seed) => around(1e6, 0.1, seed));
      return only(timed('a', a ?? []), timed('b', b ?? []), { marginShare: 0.001, metrics: ['faultTime'] }).verdict;
    });
    const alarms = verdicts.filter((verdict) => verdict === 'regressed' || verdict === 'improved').length;
    expect(alarms / verdicts.length).toBeLessThanOrEqual(0.07);
    expect(alarms).toBeGreaterThan(0);
  });
});
