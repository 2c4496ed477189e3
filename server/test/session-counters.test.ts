/** Counters of recorded sessions over time, asked over HTTP, held against a look at every line of the journal. */
import { fileURLToPath } from 'node:url';
import { type CountersAnswer, countersBinsMax, ensure } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCatalogue } from '../src/probes/catalogue.ts';
import { openExportSource } from '../src/sessions/export-source.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { evil, recordStackedSession } from './fakes/stacked-session.ts';
import { openTempStore, type TempStore } from './fakes/temp-store.ts';
import { WideSession } from './fakes/wide-session.ts';

const probes = fileURLToPath(new URL('../../probes', import.meta.url));

let temp: TempStore;
let server: StartedApp;

beforeEach(async () => {
  temp = await openTempStore();
  server = await startApp({ library: temp.store.library });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

async function ask(id: string, query: Record<string, string>): Promise<{ status: number; body: CountersAnswer }> {
  const answer = await fetch(`${server.url}/api/v1/recordings/${id}/counters?${new URLSearchParams(query).toString()}`);
  return { status: answer.status, body: (await answer.json()) as CountersAnswer };
}

type Change = {
  readonly atMs: number;
  readonly metric: string;
  readonly dims: Readonly<Record<string, unknown>>;
  readonly value: number;
};

/** Ten seconds of many processes, with the maps that mmap-lock really has. */
async function recordWide(): Promise<void> {
  const catalogue = await readCatalogue(probes);
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  const session = new WideSession('wide', 1_700_000_000_000);
  const recording = temp.store.record(session, catalogue.value);
  for (let snapshot = 0; snapshot < 40; snapshot += 1) session.pass(330);
  await recording.close();
}

/** Every change of every counter that the journal holds. */
async function changesOf(id: string): Promise<readonly Change[]> {
  const found = temp.store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  const cells = found.value.manifest.runs.map((): { metric: string; dims: Record<string, unknown> }[] => []);
  const changes: Change[] = [];
  for await (const event of openExportSource(found.value).events()) {
    for (const slice of event.kind === 'tick' ? event.tick.slices : []) {
      const known = ensure(cells[slice.run], 'a run');
      known.push(...slice.newCells);
      for (const [at, cell] of slice.cells.entries()) {
        const { metric, dims } = ensure(known[cell], 'a cell');
        changes.push({ atMs: event.kind === 'tick' ? event.tick.atMs : 0, metric, dims, value: slice.deltas[at] ?? 0 });
      }
    }
  }
  return changes;
}

const sum = (changes: readonly Change[]): number => changes.reduce((all, { value }) => all + value, 0);

describe('counters over time', () => {
  it('add up to what the journal holds, in every bin, for the largest groups', async () => {
    await recordWide();
    const changes = (await changesOf('wide')).filter(({ metric }) => metric === 'acquisitions');
    expect(sum(changes)).toBeGreaterThan(100);
    const byComm = new Map<string, Change[]>();
    for (const change of changes)
      byComm.set(String(change.dims['comm']), [...(byComm.get(String(change.dims['comm'])) ?? []), change]);
    const { status, body } = await ask('wide', { metric: 'acquisitions', by: 'comm', binMs: '500', limit: '3' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: sum(changes), groupCount: byComm.size, binMs: 500 });
    const largest = [...byComm.values()].map(sum).toSorted((left, right) => right - left);
    expect(body.groups.map(({ total }) => total)).toEqual(largest.slice(0, 3));
    for (const { value, deltas } of body.groups) {
      expect(deltas).toHaveLength(body.binCount);
      const own = ensure(byComm.get(String(value)), 'a group of the journal');
      const wanted = deltas.map((_, bin) =>
        sum(own.filter(({ atMs }) => Math.floor((atMs - body.fromMs) / 500) === bin)),
      );
      expect(deltas).toEqual(wanted);
      expect(deltas.filter((delta) => delta > 0).length).toBeGreaterThan(0);
    }
  });

  it('are selected by time and filters, and are one series where nothing is asked for by', async () => {
    await recordWide();
    const all = (await changesOf('wide')).filter(({ metric }) => metric === 'acquisitions');
    const times = all.map(({ atMs }) => atMs).toSorted((left, right) => left - right);
    const [fromMs, toMs] = [ensure(times[Math.floor(times.length / 3)], 'a time'), ensure(times.at(-2), 'a time')];
    const comm = String(ensure(all[0], 'a change').dims['comm']);
    const wanted = all.filter(({ atMs, dims }) => atMs >= fromMs && atMs < toMs && dims['comm'] === comm);
    const query = { metric: 'acquisitions', fromMs: String(fromMs), toMs: String(toMs), filter: `comm:eq:${comm}` };
    const { body } = await ask('wide', query);
    expect(body).toMatchObject({ total: sum(wanted), fromMs });
    expect(body.groups.map(({ value, total }) => [value, total])).toEqual(
      wanted.length === 0 ? [] : [[null, sum(wanted)]],
    );
    expect((await ask('wide', { metric: 'acquisitions' })).body.groups).toMatchObject([
      { value: null, total: sum(all) },
    ]);
  });

  it('take values and never SQL, and are bounded', async () => {
    await recordStackedSession(temp);
    for (const query of [
      { metric: 'bogus' },
      { metric: 'violations', by: 'bogus' },
      { metric: 'violations', limit: '101' },
      { metric: 'violations', limit: '0' },
      { metric: 'violations', binMs: '0' },
      { metric: 'violations', binMs: '1', fromMs: '0', toMs: String(countersBinsMax + 1) },
      { metric: 'violations"; DROP TABLE x; --' },
      { metric: 'violations', filter: 'bogus:eq:1' },
      { by: 'comm' },
    ])
      expect([query, (await ask('s', query as unknown as Record<string, string>)).status]).toEqual([query, 400]);
    const { status, body } = await ask('s', { metric: 'violations', by: 'comm', filter: `comm:eq:${evil}` });
    expect(status).toBe(200);
    for (const { value } of body.groups) expect(value).toBe(evil);
    expect((await ask('nothing', { metric: 'violations' })).status).toBe(404);
  });
});
