/** What the page gets of recorded sessions: the short list, and a whole session in one answer. */
import { decodeRecordedView, openRecorded, type RecordingsOverview, cutSection, totalOf } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { busyProbe, wideLimits } from './fakes/busy-probe.ts';
import { fakeLedger } from './fakes/fake-session.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { busySession, openTempStore, pushBusyTick, recordBusySession, type TempStore } from './fakes/temp-store.ts';
import { until } from './until.ts';

let temp: TempStore;
let server: StartedApp;

beforeEach(async () => {
  temp = await openTempStore();
  server = await startApp({ library: temp.store.library, storeLimits: wideLimits });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

async function overview(): Promise<RecordingsOverview> {
  const answer = await fetch(`${server.url}/api/v1/recordings-overview`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as RecordingsOverview;
}

async function view(id: string): Promise<ReturnType<typeof openRecorded>> {
  const answer = await fetch(`${server.url}/api/v1/recordings/${id}/view`);
  expect(answer.status).toBe(200);
  return openRecorded(decodeRecordedView(await answer.arrayBuffer()), [busyProbe.manifest]);
}

describe('the short list', () => {
  it('says what one searches by, and what the store may take', async () => {
    await recordBusySession(temp, 'host-1');
    const { rows, ...store } = await overview();
    expect(rows).toMatchObject([
      { id: 'host-1', isLive: false, session: { state: 'closed', release: '6.18.0-test', probes: ['busy'] } },
    ]);
    expect(store).toMatchObject({ usedBytes: rows[0]?.bytes, bytesMax: wideLimits.bytesMax });
    expect(store.formats).toContain('csv');
  });

  it('counts faults and violations in the background, once', async () => {
    await recordBusySession(temp, 'host-1');
    await until(async () => (await overview()).rows[0]?.facts !== undefined);
    expect((await overview()).rows[0]?.facts).toEqual({});
  });
});

describe('a session in one answer', () => {
  it('has every tick, every call and the totals that were recorded', async () => {
    await recordBusySession(temp, 'host-1');
    const data = await view('host-1');
    expect(data.runs.map(({ changes, callCount }) => [changes.length, callCount])).toEqual([
      [3, 0],
      [3, 12],
    ]);
    expect(totalOf(cutSection(data, data.fromNs, data.toNs), 'acquisitions', { comm: 'app' })).toBe(15);
  });

  it('says between which two looks at the ledger events were lost', async () => {
    const session = busySession('host-1');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 5, 0);
    const [counts, detail] = session.runs;
    if (counts === undefined || detail === undefined) throw new Error('the busy session has two runs');
    session.runs = [{ ...counts, isComplete: false, ledger: fakeLedger({ lostCount: 4 }) }, detail];
    pushBusyTick(session, 5, 0);
    await recording.close();
    const { lossSpans } = await view('host-1');
    expect(lossSpans.map(({ run }) => run)).toEqual([0]);
  });

  it('is there while it is still being recorded, as far as it has come', async () => {
    const session = busySession('host-1');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 5, 4);
    const id = recording.view()?.id ?? '';
    await until(async () => (await view(id)).runs[0]?.changes.length === 1);
    expect((await overview()).rows).toMatchObject([{ id, isLive: true }]);
    await recording.close();
  });

  it('is refused where there is none', async () => {
    const answer = await fetch(`${server.url}/api/v1/recordings/nothing/view`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: 'unknown-session' });
  });
});
