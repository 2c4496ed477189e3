import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fakeTerminal } from '../../test/fakes/fake-terminal.ts';
import { openTempStore, recordBusySession, type TempStore } from '../../test/fakes/temp-store.ts';
import { exportSession, importFile } from './export.ts';
import { keptWords } from './lab.ts';
import { sessions } from './sessions.ts';

let temp: TempStore;

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

/** What a mark is answered with, of the session host-1, which lasted 0.2 s. */
async function mark(atMs: number | undefined, nowMs: number): Promise<readonly [number, string]> {
  const terminal = fakeTerminal();
  const words = { command: 'mark', session: 'host-1', text: 'here', atMs, store: temp.folder, isJson: false } as const;
  const status = await sessions(words, terminal, () => nowMs);
  return [status, terminal.printed.out + terminal.printed.err];
}

describe('a mark on a session that is over', () => {
  it('lies in it', async () => {
    await recordBusySession(temp, 'host-1');
    const found = temp.store.library.findReadable('host-1');
    const { createdAtMs, lastAtMs } = found.ok ? found.value.manifest : { createdAtMs: 0, lastAtMs: 0 };
    expect(await mark(lastAtMs - createdAtMs, 0)).toEqual([0, 'host-1 changed\n']);
    const beyond = lastAtMs - createdAtMs + 1;
    for (const [at, now] of [[beyond, 0] as const, [undefined, lastAtMs + 1] as const]) {
      const [status, said] = await mark(at, now);
      expect([status, said]).toEqual([1, expect.stringMatching(/session host-1 is over; it lasted .*\n {2}Say when/)]);
    }
    const after = temp.store.library.findReadable('host-1');
    expect(after.ok && after.value.manifest.marks.length).toBe(1);
  });
});

describe('what is not there', () => {
  it('is told from a session that is: the last of none', async () => {
    const terminal = fakeTerminal();
    const words = { command: 'show', session: 'last', store: temp.folder, isJson: false } as const;
    expect(await sessions(words, terminal, () => 0)).toBe(1);
    expect(terminal.printed.err).toBe(
      `faultline: no session is recorded in ${temp.folder}\n  faultline record makes one; give another folder with --store DIR.\n`,
    );
  });

  it('is said without the words of the system, and what is there already too', async () => {
    await recordBusySession(temp, 'host-1');
    const file = join(temp.folder, '.exported');
    const terminal = fakeTerminal();
    expect(await importFile({ store: temp.folder, file, isJson: false }, terminal)).toBe(1);
    expect(terminal.printed.err).toContain(`${file} was not imported: there is no such file\n`);
    writeFileSync(file, '');
    const words = { store: temp.folder, session: 'host-1', format: 'text', output: file } as const;
    expect(await exportSession(words, terminal, process.stdout)).toBe(1);
    expect(terminal.printed.err).toContain(`host-1 was not exported: ${file} is there already\n`);
    expect(terminal.printed.err).not.toMatch(/ENOENT|EEXIST/);
  });
});

describe('what the lab keeps', () => {
  it('is said with the command that removes how much of it', () => {
    const text = keptWords([
      { kind: 'snapshots', bytes: 2 * 1024 ** 3 },
      { kind: 'packages', bytes: 1024 ** 3 },
    ]);
    expect(text).toMatch(
      /: 3 GiB, of it 2 GiB of snapshots \(faultline lab clean removes those, with --all everything/,
    );
  });
});
