import fc from 'fast-check';
import { expect, test } from 'vitest';
import { liveWindowNames } from '@faultline/shared';
import {
  liveViewNames,
  pageNames,
  playSpeeds,
  readPageState,
  scalesNames,
  themeNames,
  writePageState,
  compareLayouts,
} from './page-state.ts';

const text = fc.option(fc.string({ minLength: 1, maxLength: 120 }), { nil: undefined });
const instant = fc.option(fc.nat({ max: 999_999_999_999 }), { nil: undefined });
const words = fc.array(fc.string({ minLength: 1, maxLength: 60 }), { maxLength: 5 });
const chosen = fc.record({
  page: fc.constantFrom(...pageNames),
  view: fc.option(fc.constantFrom(...liveViewNames), { nil: undefined }),
  target: text,
  beside: text,
  scales: fc.constantFrom(...scalesNames),
  process: text,
  mode: text,
  window: fc.constantFrom(...liveWindowNames),
  isPaused: fc.boolean(),
  theme: fc.constantFrom(...themeNames),
  table: text,
  sort: text,
  span: fc.constantFrom('window' as const, 'all' as const),
  calls: text,
  callsOrder: text,
  isLedgerOpen: fc.boolean(),
  isHelpOpen: fc.boolean(),
  session: text,
  fromMs: instant,
  toMs: instant,
  speed: fc.constantFrom(...playSpeeds),
  find: text,
  order: text,
  baseline: words,
  candidate: words,
  saved: text,
  pick: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  layout: fc.constantFrom(...compareLayouts),
  metric: text,
});
// No target stands beside itself.
const state = chosen.map((all) => (all.beside === all.target ? { ...all, beside: undefined } : all));

test('the address reads back as what was written, whatever the names of processes hold', () => {
  fc.assert(
    fc.property(state, (any) => {
      expect(readPageState(writePageState(any))).toEqual(any);
    }),
  );
});

test('an address without a choice stays empty, and an unknown word is left out', () => {
  expect(writePageState(readPageState(''))).toBe('');
  expect(
    writePageState(
      readPageState('?page=nowhere&window=7y&theme=pink&span=x&paused=2&other=1&from=-3&to=1e9&speed=7&scales=some'),
    ),
  ).toBe('');
});

test('a name of a process is cut, not believed', () => {
  expect(readPageState(`?process=${'x'.repeat(5000)}`).process).toHaveLength(120);
});

test('no target stands beside itself', () => {
  expect(readPageState('?target=host&beside=host').beside).toBeUndefined();
  expect(readPageState('?target=host&beside=lab-1').beside).toBe('lab-1');
});
