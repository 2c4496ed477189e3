/** The matrix over HTTP, of runs that were really recorded on 6.1 and 6.12 and are made those of a series. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ComparisonAnswer, type LabMatrix, LabMatrixSchema, readAnswer } from '@faultline/shared';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { importSession } from '../src/sessions/import-session.ts';
import { FakeTracing } from './fakes/fake-tracing.ts';
import { realProbes } from './fakes/recorded-fault-runs.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { openTempStore, type TempStore } from './fakes/temp-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-matrix-'));
const file = join(folder, 'matrix.toml');
const good =
  'kernels = ["6.1", "6.12"]\nworkloads = ["dma-map"]\nbars = ["64M"]\nmisaligned = [false, true]\nruns = 2\n';
const tracing = new FakeTracing();

let temp: TempStore;
let server: StartedApp;
let ids: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  tracing.manifests = (await realProbes()).map(({ manifest }) => manifest);
});

beforeEach(async () => {
  writeFileSync(file, good);
  temp = await openTempStore();
  const made: Record<string, string> = {};
  for (const name of ['6.1-1', '6.1-2', '6.12-1', '6.12-2']) {
    const path = fileURLToPath(new URL(`fixtures/compare/${name}.tar.gz`, import.meta.url));
    const imported = await importSession(temp.store.library, path);
    if (!imported.ok) throw new Error(imported.error.message);
    made[name] = imported.value.id;
  }
  ids = made;
  server = await startApp({ tracing, library: temp.store.library, matrixFile: file });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Makes the imported sessions what `lab compare` would have recorded: the series of each kernel, numbered. */
function joinSeries(): void {
  for (const [name, id] of Object.entries(ids)) {
    const [kernel, number] = name.split('-');
    const series = kernel === '6.1' ? 'dma-map-aaaaaaaaaaaa' : 'dma-map-bbbbbbbbbbbb';
    const edited = temp.store.library.edit(id, ({ setup }) => ({
      setup: { ...setup, series, runNumber: Number(number) },
    }));
    if (!edited.ok) throw new Error(edited.error.message);
  }
}

async function ask(query: string = ''): Promise<Response> {
  return fetch(`${server.url}/api/v1/matrix${query}`);
}

async function matrix(): Promise<LabMatrix> {
  const answer = await ask();
  expect(answer.status).toBe(200);
  const read = readAnswer(LabMatrixSchema, await answer.json());
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

/** The matrix once no verdict is on its way. */
async function judged(): Promise<LabMatrix> {
  let found = await matrix();
  await expect
    .poll(
      async () => {
        found = await matrix();
        return found.rows.flatMap(({ cells }) => cells).filter(({ verdict }) => verdict?.kind === 'pending').length;
      },
      { timeout: 30_000 },
    )
    .toBe(0);
  return found;
}

function countsOf({ rows }: LabMatrix): readonly (readonly number[])[] {
  return rows.map(({ cells }) => cells.map(({ runCount }) => runCount));
}

describe('the matrix over HTTP', () => {
  it('says what the file says, that nothing of it is recorded, and what would record it', async () => {
    const { kernels, runCount, rows, command, file: told } = await matrix();
    expect([kernels, runCount, told]).toEqual([['6.1', '6.12'], 2, file]);
    expect(rows.map(({ workload, barBytes, isMisaligned }) => [workload, barBytes, isMisaligned])).toEqual([
      ['dma-map', 64 * 1024 ** 2, false],
      ['dma-map', 64 * 1024 ** 2, true],
    ]);
    expect(command).toBe(`faultline lab compare --matrix ${file} --store ${temp.folder}`);
    // The imported runs are of no series.
    expect(rows[0]?.cells[0]).toEqual({ runCount: 0, notes: [expect.stringContaining('2 runs are not counted')] });
    expect(rows[1]?.cells).toEqual([
      { runCount: 0, notes: [] },
      { runCount: 0, notes: [] },
    ]);
  });

  it('counts runs of a series, and judges as the comparison of the same words does', async () => {
    joinSeries();
    const found = await judged();
    expect(countsOf(found)).toEqual([
      [2, 2],
      [0, 0],
    ]);
    const [baseline, candidate] = found.rows[0]?.cells ?? [];
    expect(baseline?.word).toBe('build:6.1,series:dma-map-aaaaaaaaaaaa');
    expect(baseline?.verdict).toBeUndefined();
    const query = new URLSearchParams({ baseline: baseline?.word ?? '', candidate: candidate?.word ?? '' });
    const answer = await (await fetch(`${server.url}/api/v1/compare?${query.toString()}`)).json();
    const [compared] = (answer as ComparisonAnswer).comparison.candidates;
    expect(candidate?.verdict).toEqual({
      kind: 'judged',
      verdict: compared?.verdict,
      sentence: compared?.sentence,
    });
    expect(compared?.sentence).toContain('32 faults where 6.1 took 1');
  });

  it('takes back a verdict when a run is gone, and gives it again when the run is restored', async () => {
    joinSeries();
    const before = await judged();
    temp.store.library.discard(ids['6.12-2'] ?? '', Date.now());
    const without = await judged();
    expect(countsOf(without)[0]).toEqual([2, 1]);
    expect(without.rows[0]?.cells[1]?.verdict).toBeUndefined();
    temp.store.library.restore(ids['6.12-2'] ?? '');
    expect(await judged()).toEqual(before);
  });

  it('lets no run into the cell of another: misaligned, of a rebuilt module, of a module variant', async () => {
    joinSeries();
    const { library } = temp.store;
    const change = (name: string, how: Parameters<typeof library.edit>[1]): void =>
      void library.edit(ids[name] ?? '', how);
    change('6.1-2', ({ setup }) => ({
      setup: {
        ...setup,
        series: 'dma-map-cccccccccccc',
        ...(setup?.workload === undefined ? {} : { workload: { ...setup.workload, isMisaligned: true } }),
      },
    }));
    change('6.12-2', ({ setup }) => ({ setup: { ...setup, series: 'dma-map-dddddddddddd', module: '6.12, rebuilt' } }));
    change('6.12-1', ({ setup }) => ({ setup: { ...setup, build: '6.12-v1' } }));
    const found = await judged();
    expect(countsOf(found)).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(found.rows[0]?.cells.map(({ notes }) => notes)).toEqual([[], []]);
    expect(found.rows[0]?.cells[1]?.word).toBe('build:6.12,series:dma-map-dddddddddddd');
    change('6.12-1', ({ setup }) => ({ setup: { ...setup, build: '6.12' } }));
    // Two builds under one name are two series: that of the newer session is the cell's.
    const cell = (await judged()).rows[0]?.cells[1];
    expect(cell?.word).toBe('build:6.12,series:dma-map-bbbbbbbbbbbb');
    expect(cell?.notes).toEqual([
      '1 run is not counted: an older series, and the newest counts; of another build of its module: 6.12, rebuilt',
    ]);
  });

  it('says of a run that cannot be read that it cannot, and what to do', async () => {
    joinSeries();
    appendFileSync(join(temp.folder, ids['6.12-1'] ?? '', 'journal.jsonl'), '{"kind":"tick"}\n{"kind":"tick"}\n');
    const cell = (await judged()).rows[0]?.cells[1];
    expect(cell?.verdict).toMatchObject({ kind: 'failed', message: expect.stringContaining(ids['6.12-1'] ?? '?') });
  });

  it('says which sessions of the store belong to no cell since they cannot be read', async () => {
    expect((await matrix()).notes).toEqual([]);
    const manifest = join(temp.folder, ids['6.1-1'] ?? '', 'manifest.json');
    const whole = readFileSync(manifest, 'utf8');
    writeFileSync(manifest, '{');
    const { notes } = await matrix();
    writeFileSync(manifest, whole);
    expect(notes).toEqual([
      `1 session can’t be read and belongs to no cell: ${ids['6.1-1'] ?? '?'}. The page of sessions says why`,
    ]);
  });

  it.each([
    ['is gone', '', 'no such file'],
    ['is no TOML', 'kernels = [\u0000', 'this is no matrix'],
    ['names no workload that there is', good.replace('dma-map', '$(reboot)'), '/workloads'],
    ['has a size that is none', good.replace('64M', '../../etc'), 'no size of a BAR'],
    ['is longer than any', `# ${'x'.repeat(100_000)}`, 'it has more than 64 KiB'],
    ['asks for too much', good.replace('runs = 2', 'runs = 1e99'), '/runs'],
  ])('refuses a file that %s, names it, and is well again once it is', async (_, text, why) => {
    if (text === '') rmSync(file);
    else writeFileSync(file, text);
    const answer = await ask();
    expect(answer.status).toBe(422);
    const problem = (await answer.json()) as { error: string; message: string; remedy: string };
    expect(problem.error).toBe('matrix-problem');
    expect(problem.message).toContain(file);
    expect(problem.message).toContain(why);
    expect(problem.remedy).toMatch(/--matrix FILE|power of two/);
    writeFileSync(file, good);
    expect((await ask()).status).toBe(200);
  });

  it('lets no request name a file, and has no matrix where the server was given none', async () => {
    expect((await ask('?file=/etc/passwd')).status).toBe(400);
    await using other = await startApp({ library: temp.store.library });
    expect((await fetch(`${other.url}/api/v1/matrix`)).status).toBe(404);
  });
});
