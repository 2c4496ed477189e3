/** A server that is killed while it makes the tables of a session that it has just closed. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeRecordedView, derivedFiles, sessionFiles } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SessionQueries } from '../src/queries/session-queries.ts';
import { Library } from '../src/sessions/library.ts';
import { isDerived } from '../src/sessions/session-totals.ts';

const program = fileURLToPath(new URL('fakes/closing-child.ts', import.meta.url));

/** FAULTLINE_CRASHES=100 for the long run. */
const crashCount = Number(process.env['FAULTLINE_CRASHES'] ?? 8);
const tickCount = 200;
const callCount = tickCount * 500;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-closing-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Has a session recorded and closed; kills its server so long after that, or leaves it be. How long its tables took, ms. */
async function close(id: string, killAfterMs?: number): Promise<number> {
  const child = spawn(process.execPath, [program, folder, id, String(tickCount)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
  let closedMs = 0;
  let derivedMs = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.toString().includes('closed')) {
      closedMs = performance.now();
      if (killAfterMs !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    }
    if (chunk.toString().includes('derived')) derivedMs = performance.now();
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect([id, closedMs > 0, said.replaceAll(/.*closed as interrupted.*\n/g, '')]).toEqual([id, true, '']);
  return derivedMs - closedMs;
}

describe('a server that is killed while it makes tables', () => {
  it(
    `leaves a closed session and no half of a table, whenever it is: ${crashCount} times at random moments`,
    async () => {
      const wholeMs = await close('whole');
      expect(wholeMs).toBeGreaterThan(0);
      let brokenOff = 0;
      for (let crash = 0; crash < crashCount; crash += 1) {
        const id = `killed-${crash}`;
        // A moment of each part of the time: all of them may be too late where the first took longer than the others.
        await close(id, ((crash + Math.random()) / crashCount) * wholeMs * 1.1);
        const opened = await Library.open(folder);
        if (!opened.ok) throw new Error(opened.error.message);
        expect(opened.value.interrupted).toEqual([]);
        const found = opened.value.library.findReadable(id);
        if (!found.ok) throw new Error(found.error.message);
        const entry = found.value;
        expect(entry.manifest).toMatchObject({ state: 'closed', held: { callCount, tickCount } });
        if (!isDerived(entry)) brokenOff += 1;
        // What is there is believed or made anew; either way it answers with every call, and no draft is left.
        await using queries = new SessionQueries(folder);
        expect(await queries.calls(entry, { limit: '1' })).toMatchObject({ ok: true, value: { total: callCount } });
        const counters = await queries.counters(entry, { metric: 'acquisitions' });
        expect(counters).toMatchObject({ ok: true, value: { total: tickCount * 10 } });
        const view = readFileSync(join(entry.folder, derivedFiles.view));
        const { snapshot } = decodeRecordedView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
        expect(snapshot.header.seq).toBe(tickCount);
        const names = [...Object.values(derivedFiles), ...Object.values(sessionFiles)];
        expect(readdirSync(entry.folder).toSorted()).toEqual(names.toSorted());
      }
      // Otherwise no moment was one at which something could have broken.
      if (crashCount >= 8) expect(brokenOff).toBeGreaterThan(0);
    },
    60_000 + crashCount * 20_000,
  );
});
