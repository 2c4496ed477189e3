import { describe, expect, it } from 'vitest';
import { closingLine, stageResult, withSkipsJudged } from './stages.mjs';

const skipped = [{ name: 'counts faults', reason: 'no tracefs' }];

describe('the closing line', () => {
  it('is the last line and counts all stages', () => {
    const results = [
      { stage: 'check', passedCount: 6, failed: [], skipped: [] },
      { stage: 'unit', passedCount: 10, failed: [], skipped: [] },
    ];
    expect(closingLine(results)).toEqual({ text: '\n16 passed, 0 failed\n', isPassed: true });
  });

  it('names failures and the reasons of skips above itself', () => {
    const { text, isPassed } = closingLine([{ stage: 'unit', passedCount: 1, failed: ['adds'], skipped }]);
    expect(isPassed).toBe(false);
    expect(text.split('\n')).toEqual([
      '',
      'failed   unit: adds',
      'skipped  unit: counts faults (no tracefs)',
      '1 passed, 1 failed, 1 skipped',
      '',
    ]);
  });

  it('fails when nothing ran', () => {
    expect(closingLine([]).isPassed).toBe(false);
  });
});

describe('a stage', () => {
  it('has failed when it left no report', () => {
    expect(stageResult('unit', 0, undefined).failed).toHaveLength(1);
  });

  it('has failed when its runner failed without naming a failure', () => {
    const report = JSON.stringify({ passedCount: 3, failed: [], skipped: [] });
    expect(stageResult('unit', 1, report).failed).toHaveLength(1);
    expect(stageResult('unit', 0, report).failed).toEqual([]);
  });

  it('has failed when it ran no test', () => {
    expect(stageResult('unit', 0, JSON.stringify({ passedCount: 0, failed: [], skipped: [] })).failed).toHaveLength(1);
  });
});

describe('a skipped test of the real kernel', () => {
  const result = { stage: 'integration', passedCount: 2, failed: [], skipped };

  it('is a failure where this machine can trace', () => {
    expect(withSkipsJudged(result, true)).toMatchObject({
      failed: [expect.stringContaining('no tracefs')],
      skipped: [],
    });
  });

  it('stays a skip where it cannot, and in other stages', () => {
    expect(withSkipsJudged(result, false)).toEqual(result);
    expect(withSkipsJudged({ ...result, stage: 'browser' }, true).skipped).toEqual(skipped);
  });
});
