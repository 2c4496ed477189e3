/** What the page gets of recorded sessions: the short list, and a whole session in one answer. */
import { existsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cutSection,
  decodeRecordedView,
  derivedFiles,
  openRecorded,
  type RecordedView,
  type RecordingsOverview,
  sessionFiles,
  totalOf,
} from '@faultline/shared';
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

async function body(id: string): Promise<RecordedView> {
  const answer = await fetch(`${server.url}/api/v1/recordings/${id}/view`);
  expect(answer.status).toBe(200);
  return decodeRecordedView(await answer.arrayBuffer());
}

async function view(id: string): Promise<ReturnType<typeof openRecorded>> {
  return openRecorded(await body(id), [busyProbe.manifest]);
}

describe('the short list', () => {
  it('says what one searches by, and what the store may take', async () => {
    await recordBusySession(temp, 'host-1');
    const { rows, ...store } = await overview();
    expect(rows).toMatchObject([
      { id: 'host-1', isLive: false, session: { state: 'closed', release: '6.18.0-test', probes: ['busy'] } },
    ]);
    expect(store).toMatchObject({
      usedBytes: rows[0]?.bytes,
      bytesMax: wideLimits.bytesMax,
      sessionAgeMaxMs: wideLimits.sessionAgeMaxMs,
    });
    expect(store.formats).toContain('csv');
  });

  it('counts faults and violations in the background, once', async () => {
    await recordBusySession(temp, 'host-1');
    await until(async () => (await overview()).rows[0]?.facts !== undefined);
    expect((await overview()).rows[0]?.facts).toEqual({});
  });
});

describe('a session in one answer', () => {
  it('has every tick and the totals that were recorded, and says that its calls are asked for', async () => {
    await recordBusySession(temp, 'host-1');
    const data = await view('host-1');
    expect(data.calls).toBe('asked');
    expect(
      data.runs.map(({ changes, callCount, olderCallCount }) => [changes.length, callCount, olderCallCount]),
    ).toEqual([
      [3, 0, 0],
      [3, 0, 12],
    ]);
    expect(totalOf(cutSection(data, data.fromNs, data.toNs), 'acquisitions', { comm: 'app' })).toBe(15);
  });

  it('comes from the disk once it lies there: the same as out of the journal, and the journal is not read for it', async () => {
    await recordBusySession(temp, 'host-1');
    const outOfJournal = await body('host-1');
    const folder = join(temp.folder, 'host-1');
    await until(() => existsSync(join(folder, derivedFiles.totals)));
    const journal = join(folder, sessionFiles.journal);
    // As long as before, so that what lies beside it is believed; a page that read it would be told of the damage.
    writeFileSync(journal, 'x'.repeat(statSync(journal).size));
    const fromDisk = await body('host-1');
    const versionless = (view: RecordedView): object => ({
      ...view,
      snapshot: { ...view.snapshot, serverVersion: '' },
    });
    expect(fromDisk.snapshot.serverVersion).not.toBe(outOfJournal.snapshot.serverVersion);
    expect(versionless(fromDisk)).toEqual(versionless(outOfJournal));
  });

  it('is made anew where it is torn', async () => {
    await recordBusySession(temp, 'host-1');
    const path = join(temp.folder, 'host-1', derivedFiles.view);
    // Answered when all that follows from the journal is there.
    expect((await fetch(`${server.url}/api/v1/recordings/host-1/calls`)).status).toBe(200);
    const { size } = statSync(path);
    truncateSync(path, 10);
    expect((await view('host-1')).runs).toHaveLength(2);
    await until(() => statSync(path).size === size);
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
    expect(await view(id)).toMatchObject({ calls: 'held', runs: [{}, { callCount: 4 }] });
    expect((await overview()).rows).toMatchObject([{ id, isLive: true }]);
    await recording.close();
  });

  it('is refused where there is none', async () => {
    const answer = await fetch(`${server.url}/api/v1/recordings/nothing/view`);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: 'unknown-session' });
  });
});
