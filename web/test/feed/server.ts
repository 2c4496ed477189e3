/** A server that speaks Faultline's protocol over made-up sessions: the fixture of the browser tests. */
import { readFile } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type BootLab,
  type ClientEvents,
  type Plan,
  type Preflight,
  type ProbeManifest,
  type Problem,
  type ServerEvents,
  type StartRun,
  type StartWorkload,
  type TargetView,
  clientFramesInFlightMax,
  protocolVersion,
} from '@faultline/shared';
import { Server, type Socket } from 'socket.io';
import { guestDevices, guestTarget } from './guests.ts';
import { FeedLab } from './lab.ts';
import { allManifests, feedManifests } from './manifests.ts';
import { type GuestScenario, type Scenario, type ScenarioName, bootedGuest, scenarios } from './scenarios.ts';
import { SyntheticSession } from './synthetic-session.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const tickMs = 250;
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:";
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** A running feed. */
export type FeedServer = AsyncDisposable & {
  readonly url: string;
  readonly sessions: ReadonlyMap<string, SyntheticSession>;
  /** The lab, where the scenario has one. */
  readonly lab: FeedLab;
  /** Stops sending: what a page sees when a server hangs. */
  readonly pause: () => void;
  /** Cuts every socket; the pages may come back at once. */
  readonly cut: () => void;
  /** Cuts every socket and lets nobody in until `comeBack`. */
  readonly drop: () => void;
  readonly comeBack: () => void;
  /** Snapshots from now on claim this version of the protocol. */
  readonly speak: (version: number) => void;
  /** Does not send the next frame. */
  readonly skipFrame: () => void;
  readonly resyncCount: () => number;
  /** The next command is refused with this. */
  readonly refuse: (problem: Problem) => void;
};

/** Starts a feed on a free port, or the one given. */
export async function startFeed(name: ScenarioName, options: { readonly port?: number } = {}): Promise<FeedServer> {
  const scenario: Scenario = scenarios[name];
  const { sessions, targets, lab, open } = openWorld(scenario);
  const state: State = {
    isPaused: false,
    isClosed: false,
    version: protocolVersion,
    skipCount: 0,
    resyncCount: 0,
    refusal: undefined,
  };
  const http = createServer((request, response) => {
    answer(request, response, { scenario, sessions, targets, lab, open, state }).catch((error: unknown) =>
      send(response, 500, problem('broken', String(error))),
    );
  });
  const io = new Server<ClientEvents, ServerEvents>(http, {
    serveClient: false,
    allowRequest: (_, allow) => allow(undefined, !state.isClosed),
  });
  serveSockets(io, sessions, state);
  const timer = setInterval(() => {
    if (!state.isPaused) sendFrames(io, sessions, state);
  }, tickMs);
  await new Promise<void>((resolve) => http.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    sessions,
    lab,
    pause: () => {
      state.isPaused = true;
      catchUp(io, sessions, state);
    },
    cut: () => io.disconnectSockets(true),
    drop: () => {
      state.isClosed = true;
      io.disconnectSockets(true);
    },
    comeBack: () => Object.assign(state, { isClosed: false }),
    speak: (version) => Object.assign(state, { version }),
    skipFrame: () => Object.assign(state, { skipCount: 1 }),
    resyncCount: () => state.resyncCount,
    refuse: (refusal) => Object.assign(state, { refusal }),
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      http.closeAllConnections();
      await io.close();
    },
  };
}

/** Everything there is in a scenario from the start. */
function openWorld(scenario: Scenario): Pick<World, 'sessions' | 'targets' | 'lab' | 'open'> {
  const sessions = new Map<string, SyntheticSession>();
  const targets = new Map([host, replay].map((target) => [target.id, target]));
  const open = (targetId: string): SyntheticSession => {
    const known = sessions.get(targetId);
    if (known !== undefined) return known;
    const target = targets.get(targetId) ?? host;
    const session = new SyntheticSession(
      target,
      targetId === 'replay' && !scenario.isReplay ? { ...scenarios.replay, running: [], pastMs: 0 } : scenario,
      Date.now(),
    );
    sessions.set(targetId, session);
    return session;
  };
  if (scenario.running.length > 0 || scenario.failed.length > 0) open(scenario.isReplay ? 'replay' : 'host');
  const enter = (guest: GuestScenario): void => {
    const target = guestTarget(guest.id, guest.release, identity);
    const session = new SyntheticSession(target, { ...scenario, failed: [], ...guest }, Date.now());
    if (guest.problem !== undefined) session.die(guest.problem);
    targets.set(guest.id, target);
    sessions.set(guest.id, session);
  };
  const lab = new FeedLab({
    up: ({ id, kernel }) => enter({ ...bootedGuest(kernel), id }),
    gone: ({ id }) => [targets, sessions].forEach((known) => known.delete(id)),
  });
  for (const guest of scenario.guests ?? []) {
    enter(guest);
    lab.add(guest.id, guest.path?.era === 'a' ? '6.1' : '6.12');
  }
  return { sessions, targets, lab, open };
}

type Sockets = Server<ClientEvents, ServerEvents>;

type State = {
  isPaused: boolean;
  isClosed: boolean;
  version: number;
  skipCount: number;
  resyncCount: number;
  refusal: Problem | undefined;
};

const inFlight = new Map<string, number>();
/** Sockets that were not sent the newest frame, since they had not taken those before it. */
const behind = new Set<string>();

/** What a page that was too slow for the last frames gets in the end: without it, nothing would tell it that they were. */
function catchUp(io: Sockets, sessions: ReadonlyMap<string, SyntheticSession>, state: State): void {
  for (const socket of io.sockets.sockets.values()) {
    const session = [...sessions.values()].find(({ id }) => socket.rooms.has(id));
    if (session !== undefined && behind.delete(socket.id)) sendSnapshot(socket, session, state);
  }
}

function sendSnapshot(
  socket: Socket<ClientEvents, ServerEvents>,
  session: SyntheticSession,
  { version: protocolVersion }: State,
): void {
  socket.emit('snapshot', { ...session.snapshot(), protocolVersion }, () => undefined);
}

function serveSockets(io: Sockets, sessions: ReadonlyMap<string, SyntheticSession>, state: State): void {
  io.on('connection', (socket) => {
    const session = [...sessions.values()].find(({ id }) => id === socket.handshake.auth['sessionId']);
    if (session === undefined) {
      socket.emit('refused', problem('unknown-session', 'There is no such session.'));
      return;
    }
    void socket.join(session.id);
    inFlight.set(socket.id, 0);
    socket.on('disconnect', () => {
      inFlight.delete(socket.id);
      behind.delete(socket.id);
    });
    socket.on('resync', () => {
      state.resyncCount += 1;
      sendSnapshot(socket, session, state);
    });
    sendSnapshot(socket, session, state);
  });
}

function sendFrames(io: Sockets, sessions: ReadonlyMap<string, SyntheticSession>, state: State): void {
  for (const session of sessions.values()) {
    const { header, bytes } = session.tick(Date.now());
    if (state.skipCount > 0) {
      state.skipCount -= 1;
      continue;
    }
    for (const socket of io.sockets.sockets.values()) {
      if (!socket.rooms.has(session.id)) continue;
      const waiting = inFlight.get(socket.id) ?? 0;
      if (waiting >= clientFramesInFlightMax) {
        behind.add(socket.id);
        continue;
      }
      behind.delete(socket.id);
      inFlight.set(socket.id, waiting + 1);
      socket.emit('frame', header, bytes, () => inFlight.set(socket.id, (inFlight.get(socket.id) ?? 1) - 1));
    }
  }
}

const identity = {
  hostname: 'testbed',
  release: '6.1.0-56-amd64',
  version: '#1 SMP PREEMPT_DYNAMIC Debian',
  machine: 'x86_64',
  cpuCount: 16,
  cpuModel: 'a made-up CPU',
  memoryBytes: 64 * 2 ** 30,
  pageBytes: 4096,
  thpMode: 'madvise',
  isEmulated: false,
  config: { CONFIG_PER_VMA_LOCK: 'n' },
  clockOffsetMs: Date.now() - 5_000_000,
  bpftraceVersion: '0.17.0',
};
const host: TargetView = { id: 'host', kind: 'host', title: 'this machine', identity };
const replay: TargetView = {
  id: 'replay',
  kind: 'replay',
  title: 'recorded sample',
  badge: 'recorded 2026-11-20 on a 6.1.0-56-amd64 guest, not this machine now',
  identity: { ...identity, hostname: 'recorded-guest', clockOffsetMs: Date.now() - 180_000_000 },
};

type World = {
  readonly scenario: Scenario;
  readonly sessions: ReadonlyMap<string, SyntheticSession>;
  readonly targets: ReadonlyMap<string, TargetView>;
  readonly lab: FeedLab;
  readonly open: (targetId: string) => SyntheticSession;
  readonly state: State;
};

async function answer(request: IncomingMessage, response: ServerResponse, world: World): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://feed').pathname;
  if (!path.startsWith('/api/v1/')) return serveFile(path, response);
  const isJson = request.headers['content-type'] === 'application/json';
  if (request.method !== 'GET' && !isJson)
    return send(response, 415, problem('not-json', `A ${request.method} request must have JSON.`));
  const [, , , noun = '', id = '', verb = ''] = path.split('/').map(decodeURIComponent);
  if (request.method === 'POST' && world.state.refusal !== undefined) return send(response, 409, world.state.refusal);
  if (request.method === 'POST' && noun === 'runs' && verb === 'stop') return stopRun(id, response, world);
  if (request.method === 'POST' && noun === 'runs')
    return startRun(JSON.parse(await text(request)) as StartRun, response, world);
  if (noun === 'lab' && world.scenario.hasLab === true) return answerLab(request, response, world.lab);
  if (noun === 'targets' && id === '') return send(response, 200, targetsOf(world));
  if (noun === 'targets' && verb === 'preflight')
    return send(response, 200, preflight(id, world.scenario.canTrace && world.scenario.isCheckedLate !== true));
  if (noun === 'targets' && verb === 'plans')
    return send(response, 200, plans(manifestsOf(world), world.scenario.canTrace || id === 'replay', id));
  if (noun === 'targets' && verb === 'devices') return send(response, 200, id.startsWith('lab-') ? guestDevices : []);
  if (noun === 'probes') return send(response, 200, manifestsOf(world));
  if (noun === 'sessions')
    return send(
      response,
      200,
      [...world.sessions.values()].map((session) => session.view()),
    );
  return send(response, 404, problem('not-found', `There is no ${path}.`));
}

function manifestsOf({ scenario }: World): readonly ProbeManifest[] {
  return scenario.hasLab === true ? allManifests : feedManifests;
}

/** A target with a session is as the session knows it: it may have died. */
function targetsOf({ targets, sessions }: World): readonly TargetView[] {
  return [...targets.values()].map((target) => sessions.get(target.id)?.target ?? target);
}

async function answerLab(request: IncomingMessage, response: ServerResponse, lab: FeedLab): Promise<void> {
  const [, , , , noun = '', id = '', verb = ''] = (request.url ?? '').split('/').map(decodeURIComponent);
  const body = request.method === 'POST' ? (JSON.parse(await text(request)) as BootLab & StartWorkload) : undefined;
  if (noun === '') return send(response, 200, lab.view());
  if (body !== undefined && verb === 'runs') return send(response, 200, lab.run(id, body));
  if (body !== undefined) return send(response, 200, lab.boot(body));
  return send(response, 200, lab.stop(id));
}

function startRun(body: StartRun, response: ServerResponse, world: World): void {
  if (!world.scenario.canTrace && body.targetId === 'host')
    return send(
      response,
      409,
      problem('no-variant', `${body.probe} can't run: bpftrace is missing.`, 'Install bpftrace.'),
    );
  send(
    response,
    201,
    world.open(body.targetId).start(`${body.probe}/${body.stream}`, 'running', body.parameters ?? {}),
  );
}

function stopRun(id: string, response: ServerResponse, { sessions }: World): void {
  for (const session of sessions.values()) {
    const view = session.stop(id);
    if (view !== undefined) return send(response, 200, view);
  }
  send(response, 409, problem('not-running', 'This run has ended already.'));
}

function preflight(targetId: string, canTrace: boolean): Preflight {
  return {
    targetId,
    canTrace,
    checks: [
      { name: 'root', title: 'may load BPF programs', status: 'ok', found: 'root' },
      canTrace
        ? { name: 'bpftrace', title: 'bpftrace is there', status: 'ok', found: '0.17.0' }
        : {
            name: 'bpftrace',
            title: 'bpftrace is there',
            status: 'failed',
            found: 'no bpftrace in PATH',
            remedy: 'Install the package bpftrace.',
            command: 'apt-get install bpftrace',
          },
      {
        name: 'btf',
        title: 'BTF of the kernel',
        status: 'warning',
        found: '/sys/kernel/btf/vmlinux is missing',
        remedy: 'fentry variants need CONFIG_DEBUG_INFO_BTF=y; tracepoints work without.',
      },
      { name: 'lockdown', title: 'kernel lockdown', status: 'unknown', found: 'securityfs is not mounted' },
    ],
  };
}

function plans(manifests: readonly ProbeManifest[], canTrace: boolean, targetId: string): readonly Plan[] {
  return manifests.flatMap(({ name, streams }) =>
    streams.map((stream): Plan => {
      const variants = stream.variants.map((variant) => {
        const isMissing = (variant.requires.modules ?? []).length > 0 && !targetId.startsWith('lab-');
        const fits = canTrace && variant.attach !== 'fentry' && !isMissing;
        const reason = canTrace ? 'needs BTF, which this kernel does not have' : 'bpftrace is missing';
        // As long as real ones, a path that nothing breaks among them.
        const path = '/sys/kernel/debug/tracing/available_filter_functions';
        const reasons = isMissing
          ? ['this kernel has no vfio_pci_core module', `bpftrace can't use fentry here: ${path} is not there`]
          : [reason];
        return { name: variant.name, attach: variant.attach, fits, reasons: fits ? [] : reasons };
      });
      const chosen = variants.find(({ fits }) => fits)?.name;
      return { probe: name, stream: stream.name, variants, ...(chosen === undefined ? {} : { chosen }) };
    }),
  );
}

async function serveFile(path: string, response: ServerResponse): Promise<void> {
  const file = path === '/' ? '/index.html' : normalize(path);
  try {
    const bytes = await readFile(join(dist, file));
    response.writeHead(200, {
      'content-type': types[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
    });
    response.end(bytes);
  } catch {
    send(response, 404, problem('not-found', `There is no ${path}.`));
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function problem(error: string, message: string, remedy?: string): Problem {
  return { error, message, ...(remedy === undefined ? {} : { remedy }) };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
