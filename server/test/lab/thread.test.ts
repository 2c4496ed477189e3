/** `faultline lab thread` as a command, on the smallest selection that has everything in it: an untraced run, a peaceful one, and an oops. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram, type Said } from './run-program.ts';

const store = mkdtempSync(join(tmpdir(), 'faultline-thread-'));
afterAll(() => rmSync(store, { recursive: true, force: true }));

function labThread(...words: readonly string[]): Promise<Said> {
  return runProgram(['lab', 'thread', '--store', store, '--variants', 'v1', '--runs', '1', ...words]);
}

describe('faultline lab thread', () => {
  let first: Said;
  // Where there are no snapshots yet two guests are booted.
  beforeAll(async () => {
    first = await labThread('--workloads', 'touch,futex');
  });

  it('times a build untraced, counts it traced, and takes the kernel that the patch kills for a result', () => {
    const { status, out, err } = first;
    expect(`${status} ${err}`).toMatch(/^0 /);
    expect(err).toContain('0 of 2 runs · 6.1-v1: touch untraced');
    expect(out).toMatch(/^v1 +1 +1 remap +16,384( +[\d.]+ [mµ]?s){3} +0$/m);
    expect(out).toMatch(/^v1 +1 +1 OOPS$/m);
    expect(out.replaceAll(/\s+/g, ' ')).toMatch(
      /v1 futex ≤100 lock-dropped-forbidden 1 BUG: kernel NULL pointer dereference, .* in fixup_user_fault \(from fault_in_user_writeable, futex_wake_op/,
    );
    expect(readdirSync(store).filter((name) => name.startsWith('thread-'))).toHaveLength(2);
  });

  it('makes no run twice: the same table again, from the sessions, without a guest', async () => {
    const { status, out, err } = await labThread('--workloads', 'touch,futex', '--json');
    expect(`${status} ${err}`).toMatch(/^0 /);
    expect(err).not.toMatch(/run 1|restoring|booting/);
    expect(JSON.parse(out)).toMatchObject({
      accelerator: 'tcg',
      rows: [
        { variant: 'v1', workload: 'touch', figures: { faults: { min: 1, max: 1 } }, findings: { 'lock-dropped': 1 } },
        { variant: 'v1', workload: 'futex', oopsCount: 1, findings: { 'lock-dropped-forbidden': 1 } },
      ],
    });
  });
});
