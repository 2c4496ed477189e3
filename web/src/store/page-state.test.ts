import fc from 'fast-check';
import { expect, test } from 'vitest';
import { liveWindowNames } from '@faultline/shared';
import { liveViewNames, pageNames, readPageState, themeNames, writePageState } from './page-state.ts';

const text = fc.option(fc.string({ minLength: 1, maxLength: 100 }), { nil: undefined });
const state = fc.record({
  page: fc.constantFrom(...pageNames),
  view: fc.option(fc.constantFrom(...liveViewNames), { nil: undefined }),
  target: text,
  process: text,
  mode: text,
  window: fc.constantFrom(...liveWindowNames),
  isPaused: fc.boolean(),
  theme: fc.constantFrom(...themeNames),
  table: text,
  sort: text,
  span: fc.constantFrom('window' as const, 'all' as const),
  calls: text,
  isLedgerOpen: fc.boolean(),
  isHelpOpen: fc.boolean(),
});

test('the address reads back as what was written, whatever the names of processes hold', () => {
  fc.assert(
    fc.property(state, (chosen) => {
      expect(readPageState(writePageState(chosen))).toEqual(chosen);
    }),
  );
});

test('an address without a choice stays empty, and an unknown word is left out', () => {
  expect(writePageState(readPageState(''))).toBe('');
  expect(writePageState(readPageState('?page=nowhere&window=7y&theme=pink&span=x&paused=2&other=1'))).toBe('');
});

test('a name of a process is cut, not believed', () => {
  expect(readPageState(`?process=${'x'.repeat(5000)}`).process).toHaveLength(100);
});
