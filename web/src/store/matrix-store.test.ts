import { type LabMatrix, type MatrixVerdict, err, ok, type Problem, type Result } from '@faultline/shared';
import { beforeEach, expect, it } from 'vitest';
import { isMatrixShown, MatrixStore } from './matrix-store.ts';
import { readPageState } from './page-state.ts';

let nowMs = 0;
let address = '';
let asked = 0;
let answer: Result<LabMatrix, Problem> = ok(matrix(2));

beforeEach(() => {
  nowMs = 100_000;
  address = '?page=compare';
  asked = 0;
});

function matrix(runCount: number, verdict?: MatrixVerdict): LabMatrix {
  const cell = { runCount, notes: [], ...(verdict === undefined ? {} : { verdict }) };
  const row = { workload: 'touch', barBytes: 1, isMisaligned: false, cells: [{ runCount: 2, notes: [] }, cell] };
  return { file: '/m', command: 'c', runCount: 2, kernels: ['a', 'b'], notes: [], rows: [row] };
}

function store(): MatrixStore {
  const port = {
    matrix: async () => {
      asked += 1;
      return answer;
    },
  };
  return new MatrixStore(port, {
    page: () => readPageState(address),
    nowMs: () => nowMs,
    changed: () => undefined,
  });
}

/** How often it asks in so many seconds, looked at every second. */
async function askedIn(seconds: number, one: MatrixStore): Promise<number> {
  const before = asked;
  for (let second = 0; second < seconds; second += 1) {
    nowMs += 1_000;
    one.follow();
    await Promise.resolve();
    await Promise.resolve();
  }
  return asked - before;
}

const failed = (error: string): Result<LabMatrix, Problem> => err({ error, message: 'm', remedy: 'r' });

it.each<readonly [string, Result<LabMatrix, Problem>, number]>([
  ['once where it is whole', ok(matrix(2, { kind: 'judged', verdict: 'same', sentence: '' })), 0],
  ['every second while verdicts are made', ok(matrix(2, { kind: 'pending' })), 10],
  ['every five seconds while runs are missing', ok(matrix(1)), 2],
  ['once where the file is wrong, until somebody says that it is corrected', failed('matrix-problem'), 0],
  ['once where the server has none', failed('not-found'), 0],
  ['every five seconds where the server cannot be reached', failed('unreachable'), 2],
])('asks %s', async (_, first, times) => {
  answer = first;
  const one = store();
  expect(await askedIn(1, one)).toBe(1);
  expect(one.state?.kind).toBe(first.ok ? 'ready' : 'failed');
  expect(await askedIn(10, one)).toBe(times);
});

it('asks only while it is shown, and again when it is shown anew', async () => {
  answer = ok(matrix(2));
  const one = store();
  address = '?page=lab';
  expect(await askedIn(5, one)).toBe(0);
  address = '?page=compare';
  expect(await askedIn(5, one)).toBe(1);
  address = '?page=compare&baseline=a&candidate=b';
  expect(await askedIn(5, one)).toBe(0);
  address = '?page=compare';
  expect(await askedIn(5, one)).toBe(1);
});

it('is where one begins: before any side is chosen', () => {
  const shown = (search: string): boolean => isMatrixShown(readPageState(search));
  expect(shown('?page=compare')).toBe(true);
  expect(shown('?page=compare&baseline=a')).toBe(false);
  expect(shown('?page=compare&saved=0123456789ab')).toBe(false);
  expect(shown('?page=live')).toBe(false);
});
