import {
  clientCallsPerFrameMax,
  clientFramesInFlightMax,
  clientSnapshotIntervalMinMs,
  makeColumn,
} from '@faultline/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FakeClient } from '../../test/fakes/fake-client.ts';
import { FakeSession, fakeRun, fakeSlice } from '../../test/fakes/fake-session.ts';
import { callTypesOf, intents, SliceMaker } from '../../test/fakes/random-slices.ts';
import { ClientFlow } from './client-flow.ts';
import { Feed } from './feed.ts';

/** A session, its feed, and as many clients as wanted; all of it without a network. */
function setUp(options: { readonly clients: number; readonly ticksMax?: number }) {
  const clock = { nowMs: 0 };
  const session = new FakeSession({
    runs: [fakeRun(0), fakeRun(1)],
    callTypes: callTypesOf,
    ticksMax: options.ticksMax ?? 1_000,
  });
  const feed = new Feed(session, { serverVersion: '0.0.0', nowMs: () => 5_000 });
  const seats = Array.from({ length: options.clients }, () => {
    const client = new FakeClient((run) => session.callTypes(run));
    return { client, flow: new ClientFlow(feed, client, () => clock.nowMs) };
  });
  session.onTick((tick) => {
    feed.take(tick);
    for (const { flow } of seats) flow.push();
  });
  return { clock, session, seats, clients: seats.map(({ client }) => client), flows: seats.map(({ flow }) => flow) };
}

function announce(session: FakeSession): void {
  session.push([
    fakeSlice(0, {
      newCells: [{ cell: 0, metric: 'acquired', dims: {} }],
      cells: Uint32Array.of(0),
      deltas: Float64Array.of(1),
    }),
  ]);
}

function count(session: FakeSession, delta: number): void {
  session.push([fakeSlice(0, { cells: Uint32Array.of(0), deltas: Float64Array.of(delta) })]);
}

function calls(session: FakeSession, from: number, callCount: number): void {
  const time = Float64Array.from({ length: callCount }, (_, at) => from + at);
  const rest = [makeColumn('u8', callCount), makeColumn('text', callCount)];
  session.push([fakeSlice(0, { calls: [time, ...rest], callCount })]);
}

describe('a client', () => {
  it('gets a snapshot first, then each tick as it is', () => {
    const {
      session,
      clients: [client],
      flows: [flow],
    } = setUp({ clients: 1 });
    announce(session);
    flow?.push();
    client?.acknowledge();
    count(session, 41);
    expect(client).toMatchObject({ seq: 2, snapshotCount: 1, frameCount: 1 });
    expect(client?.last).toMatchObject({ fromSeq: 2, seq: 2, clientDroppedCalls: 0, clientMergedTicks: 0 });
    expect(client?.runs.get(0)?.totals).toEqual([42]);
  });

  it('gets nothing while its credit is used up, then one frame with all that was missed', () => {
    const {
      session,
      clients: [client],
    } = setUp({ clients: 1 });
    announce(session);
    for (let round = 0; round < 9; round += 1) count(session, 10);
    expect(client).toMatchObject({ snapshotCount: 1, frameCount: clientFramesInFlightMax - 1, seq: 4 });
    client?.acknowledge();
    expect(client?.last).toMatchObject({ fromSeq: 5, seq: 10, clientMergedTicks: 6, clientDroppedCalls: 0 });
    expect(client?.last?.session).toBeDefined();
    expect(client?.runs.get(0)?.totals).toEqual([91]);
  });

  it('loses the oldest calls of a merged frame beyond the bound, and is told how many', () => {
    const {
      session,
      clients: [client],
    } = setUp({ clients: 1 });
    announce(session);
    for (let round = 0; round < 3; round += 1) count(session, 1);
    calls(session, 0, 15_000);
    calls(session, 15_000, 15_000);
    client?.acknowledge();
    expect(client?.last).toMatchObject({ clientDroppedCalls: 30_000 - clientCallsPerFrameMax, clientMergedTicks: 2 });
    const times = client?.runs.get(0)?.calls.map(([time]) => time);
    expect([times?.length, times?.[0], times?.at(-1)]).toEqual([clientCallsPerFrameMax, 10_000, 29_999]);
  });

  it('gets a whole tick uncut, however many calls it holds', () => {
    const {
      session,
      clients: [client],
    } = setUp({ clients: 1 });
    announce(session);
    calls(session, 0, clientCallsPerFrameMax + 1);
    expect(client).toMatchObject({ callCount: clientCallsPerFrameMax + 1 });
    expect(client?.last?.clientDroppedCalls).toBe(0);
  });

  it('gets a new snapshot when the ring no longer holds what it missed', () => {
    const {
      clock,
      session,
      clients: [client],
    } = setUp({ clients: 1, ticksMax: 5 });
    announce(session);
    for (let round = 0; round < 20; round += 1) count(session, 1);
    clock.nowMs += clientSnapshotIntervalMinMs;
    client?.acknowledge();
    expect(client).toMatchObject({ snapshotCount: 2, seq: 21 });
    expect(client?.last?.clientMergedTicks).toBe(17);
    expect(client?.runs.get(0)?.totals).toEqual([21]);
  });

  it('gets a new snapshot rather than one frame for more than two minutes', () => {
    const {
      clock,
      session,
      clients: [client],
    } = setUp({ clients: 1, ticksMax: 5_000 });
    announce(session);
    for (let round = 0; round < 1_203; round += 1) count(session, 1);
    clock.nowMs += clientSnapshotIntervalMinMs;
    expect(client?.seq).toBe(4);
    client?.acknowledge();
    expect(client).toMatchObject({ snapshotCount: 1, seq: 1_204 });
    for (let round = 0; round < 1_201; round += 1) count(session, 1);
    client?.acknowledge();
    expect(client).toMatchObject({ snapshotCount: 2, seq: 2_405 });
    expect(client?.last?.clientMergedTicks).toBe(1_200 + 1_201);
    expect(client?.runs.get(0)?.totals).toEqual([2_405]);
  });

  it('gets a new snapshot on asking, but no more often than allowed', () => {
    const {
      clock,
      session,
      clients: [client],
      flows: [flow],
    } = setUp({ clients: 1 });
    announce(session);
    for (let asked = 0; asked < 10; asked += 1) flow?.resync();
    expect(client).toMatchObject({ snapshotCount: 1 });
    clock.nowMs += clientSnapshotIntervalMinMs;
    count(session, 1);
    expect(client).toMatchObject({ snapshotCount: 2, frameCount: 0, seq: 2 });
  });

  it('gives a credit back only once, however often it acknowledges', () => {
    const {
      session,
      clients: [client],
    } = setUp({ clients: 1 });
    announce(session);
    const received = client?.owed[0];
    for (let again = 0; again < 5; again += 1) received?.();
    for (let round = 0; round < 10; round += 1) count(session, 1);
    expect(client?.frameCount).toBe(clientFramesInFlightMax);
  });
});

describe('frames', () => {
  it('are encoded once and shared by all clients that keep up', () => {
    const { session, clients } = setUp({ clients: 10 });
    announce(session);
    for (const client of clients) client.acknowledge();
    calls(session, 0, 100);
    const [first, ...others] = clients.map((client) => client.frameBytes[0]);
    expect(first?.byteLength).toBe(100 * (8 + 1 + 2));
    for (const other of others) expect(other).toBe(first);
  });

  it('carry the session when a run changed its state, with every tenth tick, and else once a second', () => {
    const {
      session,
      clients: [client],
    } = setUp({ clients: 1 });
    const withSession: number[] = [];
    for (let seq = 1; seq <= 28; seq += 1) {
      if (seq === 14) session.runs = [fakeRun(0, { state: 'failed' }), fakeRun(1)];
      session.push([], { hasStateChange: seq > 11, atMs: seq <= 22 ? seq * 10 : seq * 400 });
      if (client?.last?.session !== undefined) withSession.push(seq);
      while (client?.acknowledge() === true);
    }
    expect(withSession).toEqual([2, 10, 14, 20, 23, 26]);
  });
});

describe('any course of events', () => {
  const events = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ kind: fc.constant('tick' as const), intents }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('acknowledge' as const), client: fc.nat({ max: 2 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('resync' as const), client: fc.nat({ max: 2 }) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 3_000 }) }) },
    ),
    { maxLength: 120 },
  );

  it('leaves every client with exactly the totals of the session, whatever was merged for it', () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 3, max: 40 }), (course, ticksMax) => {
        const { clock, session, seats, clients } = setUp({ clients: 3, ticksMax });
        const maker = new SliceMaker();
        for (const event of course) {
          if (event.kind === 'tick') session.push(maker.slices(event.intents));
          else if (event.kind === 'acknowledge') clients[event.client]?.acknowledge();
          else if (event.kind === 'resync') seats[event.client]?.flow.resync();
          else clock.nowMs += event.ms;
        }
        clock.nowMs += clientSnapshotIntervalMinMs;
        session.push([]);
        const late = new FakeClient((run) => session.callTypes(run));
        new ClientFlow(new Feed(session, { serverVersion: '0.0.0', nowMs: () => 0 }), late, () => 0).push();
        for (const client of clients) {
          while (client.acknowledge());
          expect(client.seq).toBe(session.seq);
          expect(client.figures()).toEqual(late.figures());
        }
      }),
      { numRuns: 300 },
    );
  });

  it('accounts for every call: delivered or told as dropped', () => {
    fc.assert(
      fc.property(fc.array(intents, { minLength: 1, maxLength: 60 }), fc.array(fc.nat({ max: 3 })), (ticks, paces) => {
        const {
          session,
          clients: [client],
        } = setUp({ clients: 1 });
        const maker = new SliceMaker();
        session.push([]);
        for (const [position, tick] of ticks.entries()) {
          session.push(maker.slices(tick));
          for (let given = 0; given < (paces[position % paces.length] ?? 1); given += 1) client?.acknowledge();
        }
        while (client?.acknowledge() === true);
        const times = [...(client?.runs.values() ?? [])].flatMap((figures) => figures.calls.map(([time]) => time));
        expect(times).toEqual(Array.from({ length: maker.callCount }, (_, at) => at));
      }),
      { numRuns: 200 },
    );
  });
});
