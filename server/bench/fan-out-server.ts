/**
 * The sending side of the fan-out benchmark, in a process of its own so that its CPU can be told from the clients'.
 * `paced`: the real hub, a tick each 100 ms. `flat-out` and `rows`: the next tick as soon as all have acknowledged the one
 * before the last; binary columns as the hub sends them, or JSON arrays of objects.
 */
import { createServer } from 'node:http';
import { assert, tickIntervalMs } from '@faultline/shared';
import { Server, type Socket } from 'socket.io';
import { encodeTick } from '../src/live/encode-frame.ts';
import { Hub } from '../src/live/hub.ts';
import { SyntheticSession } from './synthetic-session.ts';

const [mode, callsPerTick = '0', clientCount = '0'] = process.argv.slice(2);
const session = new SyntheticSession(Number(callsPerTick));
const server = createServer();
let before = { atMs: 0, cpu: process.cpuUsage(), bytes: 0, events: 0 };
let events = 0;
const connections = new Set<{ readonly bytesWritten: number }>();
server.on('connection', (connection) => connections.add(connection));

// Any message asks for what happened since the last one.
process.on('message', () => {
  const cpu = process.cpuUsage(before.cpu);
  const now = { atMs: performance.now(), cpu: process.cpuUsage(), bytes: bytesWritten(), events };
  const passedMs = now.atMs - before.atMs;
  process.send?.({
    cpuShare: (cpu.user + cpu.system) / 1000 / passedMs,
    passedMs,
    bytesPerEvent: (now.bytes - before.bytes) / (now.events - before.events),
  });
  before = now;
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a TCP server has a port');
  process.send?.({ url: `http://127.0.0.1:${address.port}` });
});
if (mode === 'paced') servePaced();
else serveFlatOut();

function bytesWritten(): number {
  let total = 0;
  for (const { bytesWritten: bytes } of connections) total += bytes;
  return total;
}

function servePaced(): void {
  const hub = new Hub({
    server,
    tracing: {
      targets: () => Promise.resolve([session.view().target]),
      addTarget: () => ({ ok: true, value: undefined }),
      removeTarget: never,
      devices: never,
      probes: () => [],
      preflight: never,
      plans: never,
      startRun: never,
      stopRun: never,
      runs: () => [],
      sessions: () => [session],
      session: () => Promise.resolve({ ok: true, value: session }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    serverVersion: 'bench',
    refuseRequest: () => undefined,
    refuseToken: () => undefined,
    reportError: (error) => {
      throw error;
    },
  });
  const beganMs = performance.now();
  let ticks = 0;
  const pushNext = (): void => {
    ticks += 1;
    if (hub.clientCount === Number(clientCount)) {
      session.push();
      events += Number(callsPerTick) * hub.clientCount;
    }
    // To the grid of ticks, whatever the delay of this one: the rate offered is exact.
    setTimeout(pushNext, beganMs + ticks * tickIntervalMs - performance.now());
  };
  pushNext();
}

function never(): Promise<never> {
  return Promise.reject(new Error('the benchmark asks for no such thing'));
}

function serveFlatOut(): void {
  const io = new Server(server, {
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    transports: ['websocket'],
  });
  const sockets: Socket[] = [];
  let owed = 0;
  const received = (): void => {
    owed -= 1;
    // Two ticks on the way keep the sender busy while acknowledgements travel.
    while (owed <= sockets.length) sendOne();
  };
  const rows = mode === 'rows' ? session.callsAsObjects() : [];
  const sendOne = (): void => {
    owed += sockets.length;
    events += Number(callsPerTick) * sockets.length;
    if (mode === 'rows') {
      for (const socket of sockets) socket.emit('rows', rows, received);
      return;
    }
    const { header, bytes } = encodeTick(session.push(), undefined);
    for (const socket of sockets) socket.emit('frame', header, bytes, received);
  };
  io.on('connection', (socket) => {
    sockets.push(socket);
    if (sockets.length === Number(clientCount)) sendOne();
  });
}
