import { describe, expect, it } from 'vitest';
import { addLedgers, emptyLedger, type Ledger } from './run.ts';

describe('ledgers', () => {
  it('add up field by field, none forgotten', () => {
    const fields = Object.keys(emptyLedger());
    const ledger = Object.fromEntries(fields.map((field, position) => [field, position + 1])) as Ledger;
    const doubled = Object.fromEntries(fields.map((field, position) => [field, 2 * (position + 1)]));
    expect(addLedgers([ledger, ledger])).toEqual(doubled);
    expect(addLedgers([])).toEqual(emptyLedger());
  });
});
