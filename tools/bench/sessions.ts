/** What opening and asking a recorded session of a million calls takes, on the server and on the page, beside reading its journal with JSON.parse. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setImmediate as breathe } from 'node:timers/promises';
import { type CallsQuery, sessionFiles } from '../../shared/src/index.ts';
import { readCatalogue } from '../../server/src/probes/catalogue.ts';
import { Derivation } from '../../server/src/queries/derivation.ts';
import { SessionQueries } from '../../server/src/queries/session-queries.ts';
import type { ReadableEntry } from '../../server/src/sessions/library.ts';
import { Store } from '../../server/src/sessions/store.ts';
import { busyProbe, wideLimits } from '../../server/test/fakes/busy-probe.ts';
import { PassingSession, passingComms } from '../../server/test/fakes/passing-session.ts';
import { WideSession } from '../../server/test/fakes/wide-session.ts';
import { type BenchLine, median } from './bench-line.ts';
import { timePage } from './sessions-page.ts';

const tickCount = 2_000;
const callsPerTick = 500;

/** Records the session, closes it, and asks `repetitions` times. */
export async function benchSessions(repetitions: number): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-bench-'));
  try {
    const { entry, closingMs } = await recordMillion(folder);
    const journal = join(entry.folder, sessionFiles.journal);
    const parseMs = median(await repeated(repetitions, async () => parseAll(journal)));
    const opens: number[] = [];
    for (let at = 0; at < repetitions; at += 1) {
      await using queries = new SessionQueries(folder);
      opens.push(await timed(() => ask(queries, entry, { limit: '100' })));
    }
    await using queries = new SessionQueries(folder);
    await ask(queries, entry, {});
    const lines: BenchLine[] = [
      line('open a session of 1M calls, first page', median(opens), parseMs, 2_000),
      { name: 'close it: totals and tables, beside tracing', figure: closingMs, unit: 'ms' },
    ];
    for (const [name, query] of questions(entry)) {
      const took = median(await repeated(repetitions, () => ask(queries, entry, query)));
      lines.push(line(name, took, parseMs, 200));
    }
    const wide = await recordWide(folder);
    const page = await timePage(folder, { calls: entry.id, wide: wide.id }, repetitions);
    return [
      ...lines,
      line('the page draws it: figures', page.figuresMs, parseMs, 2_000),
      line('the page draws it: figures and calls', page.callsMs, parseMs, 2_000),
      line('the page draws another part: figures and calls', page.partMs, parseMs, 200),
      { name: 'close a session of 2M changes of counters', figure: wide.closingMs, unit: 'ms' },
      line('the page draws a session of 2M changes of counters', page.wideFiguresMs, parseMs, 2_000),
      {
        name: 'longest task of the page while that one is played',
        figure: page.playingTaskMs,
        unit: 'ms of its CPU time',
        bound: '≤ 50 ms',
        isWithinBound: page.playingTaskMs <= 50,
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function questions({ manifest }: ReadableEntry): readonly (readonly [string, CallsQuery])[] {
  const fromMs = String(manifest.createdAtMs + 50_000);
  const toMs = String(manifest.createdAtMs + 60_000);
  const comm = passingComms[17] ?? '';
  return [
    ['ask for a time range', { fromMs, toMs }],
    ['ask for one process, largest CPU first', { filter: `comm:eq:${comm}`, order: '-cpu' }],
    ['ask for a text anywhere', { text: 'KER-19' }],
    ['ask for numbers in a range, in a time range', { fromMs, toMs, filter: ['cpu:ge:10', 'cpu:lt:20'] }],
    ['ask for all in the order of a column', { order: '-endedAtNs' }],
  ];
}

/** As many figures as a page takes as they are: 5,900 snapshots with 330 changes. */
async function recordWide(folder: string): Promise<{ readonly id: string; readonly closingMs: number }> {
  const catalogue = await readCatalogue(fileURLToPath(new URL('../../probes', import.meta.url)));
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  await using store = await openStore(folder);
  const session = new WideSession('wide', Date.now());
  const recording = store.record(session, catalogue.value);
  for (let tick = 0; tick < 5_900; tick += 1) {
    session.pass(330);
    if (tick % 50 === 0) await breathe();
  }
  await recording.close();
  return { id: 'wide', closingMs: (await derived(store, 'wide')).closingMs };
}

async function openStore(folder: string): Promise<Store> {
  const options = { folder, role: 'single', limits: wideLimits, faultline: 'bench' } as const;
  const opened = await Store.open({ ...options, clock: () => Date.now(), report: () => undefined });
  if (!opened.ok) throw new Error(opened.error.message);
  return opened.value;
}

async function recordMillion(folder: string): Promise<{ readonly entry: ReadableEntry; readonly closingMs: number }> {
  await using store = await openStore(folder);
  const session = new PassingSession('million', Date.now());
  const recording = store.record(session, [busyProbe]);
  for (let tick = 0; tick < tickCount; tick += 1) {
    session.pass(tick * 100, 10, callsPerTick);
    if (tick % 50 === 0) await breathe();
  }
  await recording.close();
  return await derived(store, 'million');
}

/** Has made what follows from a session. */
async function derived(
  store: Store,
  id: string,
): Promise<{ readonly entry: ReadableEntry; readonly closingMs: number }> {
  const found = store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  await using derivation = new Derivation();
  const closingMs = await timed(async () => {
    const problem = await derivation.derive(found.value.folder);
    if (problem !== undefined) throw new Error(problem);
  });
  return { entry: found.value, closingMs };
}

async function ask(queries: SessionQueries, entry: ReadableEntry, query: CallsQuery): Promise<void> {
  const answer = await queries.calls(entry, query);
  if (!answer.ok || answer.value.total === 0) throw new Error(answer.ok ? 'nothing was found' : answer.error.message);
}

/** What a script would do: every line read and parsed, nothing checked. */
function parseAll(path: string): void {
  for (const text of readFileSync(path, 'utf8').split('\n')) if (text !== '') JSON.parse(text);
}

async function repeated(times: number, work: () => Promise<void>): Promise<readonly number[]> {
  const took: number[] = [];
  for (let at = 0; at < times; at += 1) took.push(await timed(work));
  return took;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return performance.now() - beganMs;
}

function line(name: string, figure: number, parseMs: number, boundMs: number): BenchLine {
  return {
    name,
    figure,
    unit: 'ms',
    ratio: figure / parseMs,
    against: 'reading the journal with JSON.parse',
    bound: `≤ ${boundMs} ms`,
    isWithinBound: figure <= boundMs,
  };
}
