import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, type SessionManifest } from '@faultline/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readJournal } from '../src/sessions/journal-reader.ts';
import { Library } from '../src/sessions/library.ts';
import { RecordedFigures } from '../src/sessions/recorded-figures.ts';
import { until } from './until.ts';

const program = fileURLToPath(new URL('fakes/recording-child.ts', import.meta.url));

/** FAULTLINE_CRASHES=100 for the long run. */
const crashCount = Number(process.env['FAULTLINE_CRASHES'] ?? 10);

type Report = { id: string; seq: number; atMs: number; calls: number; events: number };

let folder: string;
let running: ChildProcess | undefined;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-crash-'));
});

afterAll(() => {
  running?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(): { child: ChildProcess; reports: Report[]; ended: Promise<void>; said: { err: string } } {
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  running = child;
  const reports: Report[] = [];
  const said = { err: '' };
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) reports.push(JSON.parse(line) as Report);
  });
  child.stderr.on('data', (chunk: Buffer) => void (said.err += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { child, reports, ended, said };
}

async function openLibrary(): Promise<{ library: Library; interrupted: readonly string[] }> {
  const opened = await Library.open(folder);
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

type Sum = { calls: number; events: number };

/** What a session's journal adds up to, at each tick too, and that every line of it can be believed. */
async function readAll(id: string): Promise<{ figures: RecordedFigures; sums: Map<number, Sum>; lastSeq: number }> {
  const figures = new RecordedFigures();
  const sums = new Map<number, Sum>([[0, { calls: 0, events: 0 }]]);
  let lastSeq = 0;
  for await (const event of readJournal(join(folder, id, 'journal.jsonl'))) {
    expect(['torn', 'damaged']).not.toContain(event.kind);
    figures.add(event);
    if (event.kind !== 'tick') continue;
    lastSeq = event.tick.seq;
    const { callCount, eventCount } = figures.held(0);
    sums.set(lastSeq, { calls: callCount, events: eventCount });
  }
  return { figures, sums, lastSeq };
}

function digests(): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (one) => one.isFile() && !one.name.startsWith('.'),
  );
  return Object.fromEntries(
    files.map((one) => {
      const path = join(one.parentPath, one.name);
      return [path, createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

/** Kills a recording at a random moment and holds what is found against what it had said until then. */
async function crashOnce(afterMs: number): Promise<void> {
  const before = digests();
  const { child, reports, ended, said } = start();
  await until(() => reports.length > 0 || child.exitCode !== null, 60_000);
  expect(said.err).toBe('');
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  child.kill('SIGKILL');
  await ended;
  const last = ensure(reports.at(-1), 'a report before the kill');
  const { library, interrupted } = await openLibrary();
  expect(interrupted).toEqual([last.id]);
  const found = library.findReadable(last.id);
  if (!found.ok) throw new Error(found.error.message);
  const { manifest } = found.value;
  const { figures, sums, lastSeq } = await readAll(last.id);
  expect(manifest).toMatchObject({ state: 'interrupted', held: figures.held(manifest.held.journalBytes) });
  // A tick may have been written and not yet reported, or reported and not yet written.
  const common = Math.min(lastSeq, last.seq);
  const reported = reports.find(({ seq }) => seq === common) ?? { calls: 0, events: 0, atMs: reports[0]?.atMs ?? 0 };
  expect(sums.get(common)).toEqual({ calls: reported.calls, events: reported.events });
  expect(last.atMs - reported.atMs).toBeLessThanOrEqual(1_000);
  expectExactLedger(manifest);
  expect(digests()).toMatchObject(before);
}

function expectExactLedger({ runs, held, ledger }: SessionManifest): void {
  expect(ledger.recordedCount).toBe(held.callCount + held.eventCount);
  for (const { view } of runs) {
    expect(view).toMatchObject({ state: 'failed', isComplete: false, failure: { kind: 'killed' } });
  }
}

describe('a recording whose Faultline is killed', () => {
  it(
    `is found, whole up to the last second, and exactly accounted for, ${crashCount} times at random moments under load`,
    async () => {
      for (let crash = 0; crash < crashCount; crash += 1) await crashOnce(Math.random() * 1_500);
      const { library, interrupted } = await openLibrary();
      expect(interrupted).toEqual([]);
      expect(library.list().map(({ manifest }) => manifest?.state)).toEqual(
        Array.from({ length: crashCount }, () => 'interrupted'),
      );
    },
    60_000 + crashCount * 20_000,
  );

  it('is no longer in the way of the next, which closes in order', async () => {
    const { child, reports, ended } = start();
    await until(() => (reports.at(-1)?.calls ?? 0) > 10_000, 60_000);
    child.kill('SIGTERM');
    await ended;
    const last = ensure(reports.at(-1), 'a report');
    const { library, interrupted } = await openLibrary();
    const found = library.findReadable(last.id);
    expect(interrupted).toEqual([]);
    expect(found).toMatchObject({
      ok: true,
      value: { manifest: { state: 'closed', held: { callCount: last.calls, eventCount: last.events } } },
    });
    expect((await readAll(last.id)).lastSeq).toBe(last.seq);
  });
});
