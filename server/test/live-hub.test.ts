import {
  clientFramesInFlightMax,
  clientsMax,
  type FrameHeader,
  type Problem,
  protocolVersion,
  type Snapshot,
} from '@faultline/shared';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClient } from './fakes/fake-client.ts';
import { FakeSession, fakeRun, fakeSlice } from './fakes/fake-session.ts';
import { FakeTracing } from './fakes/fake-tracing.ts';
import { callTypesOf, SliceMaker } from './fakes/random-slices.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { until } from './until.ts';

let server: StartedApp;
let sockets: Socket[] = [];
let session: FakeSession;

beforeEach(async () => {
  session = new FakeSession({ runs: [fakeRun(0), fakeRun(1)], callTypes: callTypesOf });
  const tracing = new FakeTracing();
  tracing.sessionList = [session];
  server = await startApp({ tracing });
});

afterEach(async () => {
  for (const socket of sockets) socket.disconnect();
  sockets = [];
  await server[Symbol.asyncDispose]();
});

type Joined = { readonly socket: Socket; readonly client: FakeClient };

/** Connects, and resolves with the first snapshot. A client that is not prompt acknowledges only when told to. */
function join(
  options: { auth?: object; transports?: string[]; isPrompt?: boolean; url?: string } = {},
): Promise<Joined> {
  const { auth = {}, transports = ['websocket'], isPrompt = true } = options;
  const socket = io(options.url ?? server.url, { auth, transports, forceNew: true, reconnection: false });
  sockets.push(socket);
  const client = new FakeClient((run) => session.callTypes(run));
  return new Promise((resolve, reject) => {
    socket.on('frame', (header: FrameHeader, bytes: Buffer, received: () => void) => {
      client.sendFrame(header, bytes, received);
      if (isPrompt) client.acknowledge();
    });
    socket.on('snapshot', (snapshot: Snapshot, received: () => void) => {
      client.sendSnapshot(snapshot, received);
      if (isPrompt) client.acknowledge();
      resolve({ socket, client });
    });
    socket.on('refused', (problem: Problem) => reject(Object.assign(new Error('refused'), { data: problem })));
    socket.on('connect_error', reject);
  });
}

const intent = { run: 0 as const, newCells: 1, changes: [[0, 7] as const], newTexts: 1, calls: 3 };

describe('a client', () => {
  it('that comes late gets everything at once, then what is new', async () => {
    const maker = new SliceMaker();
    for (let round = 0; round < 40; round += 1) session.push(maker.slices([intent]));
    const { client } = await join();
    expect(client.snapshot).toMatchObject({ protocolVersion, serverVersion: '0.0.0-test', header: { seq: 40 } });
    expect(client.snapshot?.history).toHaveLength(40);
    expect(client.snapshot?.session.runs).toHaveLength(2);
    session.push(maker.slices([intent]));
    await until(() => client.seq === 41);
    expect(client).toMatchObject({ snapshotCount: 1, frameCount: 1, callCount: 41 * 3 });
    expect(client.runs.get(0)?.totals).toEqual([...(session.totals()[0]?.totals ?? [])]);
    expect(client.runs.get(0)?.texts).toEqual(session.totals()[0]?.texts);
  });

  it('that does not acknowledge gets no more than its credit, and catches up in one frame', async () => {
    const { client } = await join({ isPrompt: false });
    const prompt = await join();
    const maker = new SliceMaker();
    for (let round = 0; round < 20; round += 1) {
      session.push(maker.slices([intent]));
      await until(() => prompt.client.seq === session.seq);
    }
    expect(client.frameCount).toBe(clientFramesInFlightMax - 1);
    client.acknowledge();
    await until(() => client.seq === 20);
    expect(client.frameCount).toBe(clientFramesInFlightMax);
    expect(client.last).toMatchObject({ fromSeq: 4, clientMergedTicks: 17, clientDroppedCalls: 0 });
    expect(client.figures()).toEqual(prompt.client.figures());
    expect(prompt.client.last).toMatchObject({ clientMergedTicks: 0 });
  });

  it('gets a new snapshot when it asks for one', async () => {
    const { client, socket } = await join();
    socket.emit('resync');
    const again = () => {
      session.push([]);
      return client.snapshotCount === 2;
    };
    await until(again);
    expect(client.snapshot?.header.seq).toBeGreaterThan(0);
  });

  it('may use long polling where websockets do not pass', async () => {
    const { client } = await join({ transports: ['polling'] });
    session.push(new SliceMaker().slices([intent]));
    await until(() => client.seq === 1);
    expect(client.callCount).toBe(3);
  });

  it('picks its session; without a choice it gets the first that has runs', async () => {
    const idle = new FakeSession({ id: 'session-0' });
    const other = new FakeSession({ id: 'session-2', runs: [fakeRun(0, { id: 'other' })] });
    server.tracing.sessionList = [idle, session, other];
    const first = await join();
    const second = await join({ auth: { sessionId: 'session-2' } });
    expect(first.client.snapshot?.session.id).toBe('session-1');
    expect(second.client.snapshot?.session.id).toBe('session-2');
    other.push([]);
    await until(() => second.client.seq === 1);
    expect(first.client.seq).toBe(0);
  });

  it('gets the session of the first target where none exists yet', async () => {
    server.tracing.sessionList = [];
    const { client } = await join();
    expect(client.snapshot?.session.id).toBe(server.tracing.session1.id);
  });
});

describe('ten clients', () => {
  it('receive the same bytes', async () => {
    const joined = await Promise.all(Array.from({ length: 10 }, () => join()));
    const maker = new SliceMaker();
    for (let round = 0; round < 5; round += 1) {
      session.push(maker.slices([intent, { ...intent, run: 1 }]));
      await until(() => joined.every(({ client }) => client.seq === session.seq));
    }
    const [first, ...others] = joined.map(({ client }) => Buffer.concat(client.frameBytes));
    expect(first?.byteLength).toBe(5 * (2 * (4 + 8) + 3 * (8 + 1 + 2)));
    for (const other of others) expect(other.equals(first ?? Buffer.alloc(0))).toBe(true);
    expect(joined.map(({ client }) => client.frameCount)).toEqual(joined.map(() => 5));
  });
});

describe('a client is told why it must go', () => {
  it.each([
    [{ sessionId: 'gone' }, 'unknown-session'],
    [{ protocolVersion: protocolVersion + 1 }, 'other-version'],
  ])('when its handshake is %j', async (auth, error) => {
    await expect(join({ auth })).rejects.toMatchObject({ message: 'refused', data: { error } });
  });

  it.each([[{ program: 'BEGIN {}' }], [{ sessionId: 7 }], [{ sessionId: 'x'.repeat(101) }]])(
    'when its handshake is %j, which is not one',
    async (auth) => {
      await expect(join({ auth })).rejects.toMatchObject({ data: { error: 'bad-handshake' } });
    },
  );

  it('when it has no token or a wrong one', async () => {
    await using guarded = await startApp({ access: { token: 'secret' } });
    const data = { error: 'unauthorized' };
    await expect(join({ url: guarded.url })).rejects.toMatchObject({ data });
    await expect(join({ url: guarded.url, auth: { token: 'wrong' } })).rejects.toMatchObject({ data });
    await join({ url: guarded.url, auth: { token: 'secret' } });
  });

  it('when there are too many', async () => {
    await Promise.all(Array.from({ length: clientsMax }, () => join()));
    await expect(join()).rejects.toMatchObject({ data: { error: 'too-many-clients' } });
    sockets[0]?.disconnect();
    await until(async () => {
      const health = (await (await fetch(`${server.url}/api/v1/health`)).json()) as { clientCount: number };
      return health.clientCount === clientsMax - 1;
    });
    await join();
  });
});

describe('the hub', () => {
  it('cuts off a client that sends more than an acknowledgement could be', async () => {
    const { socket } = await join();
    const gone = new Promise<string>((resolve) => socket.once('disconnect', resolve));
    socket.emit('resync', 'x'.repeat(10_000));
    expect(await gone).toMatch(/transport/);
  });

  it('survives messages that nobody expects', async () => {
    const { socket, client } = await join();
    for (const name of ['frame', 'snapshot', 'start', '__proto__']) socket.emit(name, { a: 1 });
    session.push([]);
    await until(() => client.seq === 1);
    expect(server.logged).toEqual([]);
  });

  it('lets go of a client that cannot be served, and keeps the others and the session', async () => {
    const first = await join();
    const gone = new Promise((resolve) => first.socket.once('disconnect', resolve));
    session.push([fakeSlice(0, { cells: new Uint32Array(0), calls: [], callCount: 0 })]);
    await until(() => first.client.seq === 1);
    vi.spyOn(session, 'view').mockImplementationOnce(() => {
      throw new Error('a broken view');
    });
    session.push([], { hasStateChange: true });
    await gone;
    expect(server.logged.join()).toContain('a broken view');
    const second = await join();
    session.push([]);
    await until(() => second.client.seq === 3);
  });

  it('listens to a session only while somebody watches', async () => {
    expect(session.listenerCount).toBe(0);
    const { socket } = await join();
    expect(session.listenerCount).toBe(1);
    socket.disconnect();
    await until(() => session.listenerCount === 0);
  });

  it('closes every connection when the server closes', async () => {
    const { socket } = await join();
    const gone = new Promise((resolve) => socket.once('disconnect', resolve));
    await server.app.close();
    await gone;
    expect(session.listenerCount).toBe(0);
  });
});
