import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensure, type SessionView } from '@faultline/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replay } from '../src/cli/replay.ts';
import { encodeSnapshot, encodeTick } from '../src/live/encode-frame.ts';
import { readCatalogue } from '../src/probes/catalogue.ts';
import { readRecordings } from '../src/probes/recordings.ts';
import { readJournal } from '../src/sessions/journal-reader.ts';
import { readFigures } from '../src/sessions/recorded-figures.ts';
import { playJournal, RecordedSession } from '../src/sessions/recorded-session.ts';
import { RecordedTracing } from '../src/sessions/recorded-tracing.ts';
import { faultlineVersion } from '../src/sessions/session.ts';
import type { Tick } from '../src/sessions/tick.ts';
import { Tracer } from '../src/sessions/tracer.ts';
import type { SessionSource } from '../src/sessions/tracing.ts';
import { HostTarget } from '../src/targets/host.ts';
import { ReplayTarget } from '../src/targets/replay.ts';
import { busyProbe, fakeBpftrace } from './fakes/busy-probe.ts';
import { fakeTerminal } from './fakes/fake-terminal.ts';
import { openTempStore, recordBusySession, type TempStore } from './fakes/temp-store.ts';
import { until } from './until.ts';

const probesFolder = fileURLToPath(new URL('../../probes', import.meta.url));
let temp: TempStore;

beforeEach(async () => {
  temp = await openTempStore({ faultline: faultlineVersion });
});

afterEach(() => temp[Symbol.asyncDispose]());

/** The bytes that a page would get: each tick as a frame, and everything at the end. */
type Sent = {
  readonly frames: readonly string[];
  readonly snapshot: string;
  readonly summary: string;
  readonly seq: number;
};

function frameText(tick: Tick): string {
  const { header, bytes } = encodeTick(tick, undefined);
  return `${JSON.stringify(header)} ${bytes.toString('hex')}`;
}

function snapshotText(source: SessionSource): string {
  const { header, bytes, history, historyBytes } = encodeSnapshot(source, {
    serverVersion: '0',
    historyMs: 1e9,
    nowMs: 0,
  });
  const binary = [bytes, historyBytes].map((part) => Buffer.from(part as Uint8Array).toString('hex'));
  return JSON.stringify([header, history, ...binary]);
}

/** Traces what `start` starts, recorded into the store, and gives what live clients saw. */
async function recordLive(
  tracer: Tracer,
  targetId: string,
  isEnough: (session: SessionSource) => boolean,
): Promise<Sent & { id: string }> {
  const session = await tracer.session(targetId);
  if (!session.ok) throw new Error(session.error.message);
  const source = session.value;
  const frames: string[] = [];
  source.onTick((tick) => void frames.push(frameText(tick)));
  const runs = tracer
    .probes()
    .flatMap((probe) => probe.streams.map((stream) => ({ targetId, probe: probe.name, stream: stream.name })));
  for (const run of runs) await tracer.startRun(run);
  await until(() => isEnough(source), 30_000);
  for (const { id, state } of tracer.runs()) if (state !== 'stopped') await tracer.stopRun(id);
  // A session that is disposed of closes its last tick first; what it is asked afterwards is what it was at that tick.
  await tracer[Symbol.asyncDispose]();
  const summary = JSON.stringify(source.summary());
  return {
    frames,
    snapshot: snapshotText(source),
    summary,
    seq: source.seq,
    id: ensure(source.view().recording, 'a recording').id,
  };
}

async function playBack(id: string): Promise<Sent> {
  const found = temp.store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  const { manifest, folder } = found.value;
  const session = new RecordedSession(manifest, 0);
  const frames: string[] = [];
  session.onTick((tick) => void frames.push(frameText(tick)));
  const problem = await playJournal(readJournal(join(folder, 'journal.jsonl')), session, {
    speed: 0,
    stopped: new AbortController().signal,
  });
  expect(problem).toBeUndefined();
  return { frames, snapshot: snapshotText(session), summary: JSON.stringify(session.summary()), seq: session.seq };
}

describe('a session played from its journal', () => {
  it('gives the bytes that live clients got, for counts and calls at full rate', async () => {
    process.env['FAKE_BPFTRACE'] = 'busy';
    const tracer = new Tracer({
      targets: [new HostTarget({ bpftrace: fakeBpftrace, prefix: [] })],
      probes: [busyProbe],
      clock: () => Date.now(),
      record: temp.store.record.bind(temp.store),
    });
    const callsOf = (source: SessionSource): number => source.totals()[1]?.callCount ?? 0;
    // More than are kept for those who come later, so that forgetting is the same too.
    const live = await recordLive(tracer, 'host', (source) => callsOf(source) > 19_000 && source.seq > 20);
    const played = await playBack(live.id);
    expect(played.seq).toBe(live.seq);
    expect(played.frames).toEqual(live.frames);
    expect(played.snapshot).toBe(live.snapshot);
    expect(played.summary).toBe(live.summary);
  });

  it('gives the same for what real bpftrace printed, and so does its summary', async () => {
    const catalogue = await readCatalogue(probesFolder);
    if (!catalogue.ok) throw new Error(catalogue.error.message);
    const recordings = await readRecordings(catalogue.value);
    const probes = catalogue.value.filter(({ manifest }) => recordings.some(({ probe }) => probe === manifest.name));
    const tracer = new Tracer({
      targets: [new ReplayTarget(recordings)],
      probes,
      clock: () => Date.now(),
      record: temp.store.record.bind(temp.store),
    });
    const live = await recordLive(tracer, 'replay', (source) =>
      source.view().runs.some(({ ledger }) => ledger.recordedCount > 5_000),
    );
    const { seq: _, id, ...sent } = live;
    expect(await playBack(id)).toMatchObject(sent);
    const found = temp.store.library.findReadable(id);
    if (!found.ok) throw new Error(found.error.message);
    const { figures } = await readFigures(join(found.value.folder, 'journal.jsonl'));
    expect(JSON.stringify(figures.summary(found.value.manifest))).toBe(live.summary);
    expect(readFileSync(join(found.value.folder, 'journal.jsonl'), 'utf8')).toMatch(/\{"kind":"end"[^\n]*\}\n$/);
  });
});

describe('a session whose page cannot be served', () => {
  it('is not played to its end first', async () => {
    await recordBusySession(temp, 'host-1');
    const busy = createServer();
    await new Promise<void>((resolve) => {
      busy.listen(0, '127.0.0.1', resolve);
    });
    const { port } = busy.address() as AddressInfo;
    const terminal = fakeTerminal();
    // 0.2 s at a thousandth of their speed: longer than any test may take.
    const words = { command: 'replay', session: 'host-1', speed: 0.001, port, host: '127.0.0.1' } as const;
    const status = await replay(
      { ...words, store: temp.folder },
      { terminal, logger: pino({ level: 'silent' }), version: '1', stopping: new AbortController().signal },
    );
    busy.close();
    expect(status).toBe(1);
    expect(terminal.printed.err).toContain(`port ${port} is in use`);
    expect(terminal.printed.err).not.toContain('played');
  });
});

describe('what the faces of the server are told of a played session', () => {
  it('is marked as a replay, and starts nothing', async () => {
    const id = await recordBusySession(temp, 'host-1');
    const found = temp.store.library.findReadable(id);
    if (!found.ok) throw new Error(found.error.message);
    const session = new RecordedSession(found.value.manifest, 60_000);
    await playJournal(readJournal(join(found.value.folder, 'journal.jsonl')), session, {
      speed: 0,
      stopped: new AbortController().signal,
    });
    const tracing = new RecordedTracing(session, [busyProbe.manifest]);
    const view: SessionView = ensure(tracing.sessions()[0], 'the session').view();
    expect(view.target).toMatchObject({ kind: 'replay', badge: expect.stringContaining('recorded session host-1') });
    expect(view.startedAtMs).toBe(61_000);
    expect(view.runs.map(({ startedAtMs }) => startedAtMs)).toEqual([61_000, 61_000]);
    expect(await tracing.startRun()).toMatchObject({ ok: false, error: { kind: 'target-problem' } });
  });
});
