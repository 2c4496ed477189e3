/** The live hub: one room a session, one flow a client, over socket.io. It only speaks; commands go by HTTP. */
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import {
  type ClientEvents,
  clientHelloMaxMs,
  clientsMax,
  type Handshake,
  HandshakeSchema,
  type Problem,
  protocolVersion,
  type Result,
  type ServerEvents,
  socketMessageBytesMax,
} from '@faultline/shared';
import { Server, type Socket } from 'socket.io';
import { Value } from 'typebox/value';
import type { SessionSource, Tracing } from '../sessions/tracing.ts';
import { ClientFlow } from './client-flow.ts';
import { Feed } from './feed.ts';

type HubSocket = Socket<ClientEvents, ServerEvents>;

/** Connections beyond clientsMax that may be open for a moment, so that they can be told why they must go. */
const sparePlaces = 8;

/** What the hub needs of its surroundings; who may come in is decided by the caller's functions. */
export type HubOptions = {
  readonly server: HttpServer;
  readonly tracing: Tracing;
  readonly serverVersion: string;
  /** Why a connection must not even be made (wrong host, other site), or undefined. */
  readonly refuseRequest: (request: IncomingMessage) => Problem | undefined;
  /** Why a client with this token (or none) must not see anything, or undefined. */
  readonly refuseToken: (token: string | undefined) => Problem | undefined;
  readonly reportError: (error: unknown) => void;
};

/** A session with at least one client. */
type Room = { readonly feed: Feed; readonly flows: Map<HubSocket, ClientFlow>; readonly unsubscribe: () => void };

/** Owns the socket.io server and every client of it. */
export class Hub implements AsyncDisposable {
  readonly #options: HubOptions;
  readonly #io: Server<ClientEvents, ServerEvents>;
  readonly #rooms = new Map<string, Room>();
  #clientCount = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#io = new Server(options.server, {
      path: '/socket.io',
      serveClient: false,
      transports: ['websocket', 'polling'],
      maxHttpBufferSize: socketMessageBytesMax,
      perMessageDeflate: false,
      httpCompression: false,
      connectTimeout: clientHelloMaxMs,
      allowRequest: (request, decide) => {
        const problem = this.#refuseConnection(request);
        decide(problem?.message, problem === undefined);
      },
    });
    this.#io.use((socket, next) => {
      const handshake = readHandshake(socket);
      const problem = handshake.ok ? options.refuseToken(handshake.value.token) : handshake.error;
      next(problem === undefined ? undefined : asConnectError(problem));
    });
    this.#io.on('connection', (socket) => {
      this.#welcome(socket).catch((error: unknown) => {
        options.reportError(error);
        refuse(socket, {
          error: 'internal',
          message: 'The server could not set up this connection.',
          remedy: 'Look at what the server printed, and reload the page.',
        });
      });
    });
  }

  /** Clients that receive frames now. */
  get clientCount(): number {
    return this.#clientCount;
  }

  /** Closes every connection; the HTTP server is the caller's. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const room of this.#rooms.values()) room.unsubscribe();
    this.#rooms.clear();
    this.#io.disconnectSockets(true);
    this.#io.engine.close();
    return Promise.resolve();
  }

  #refuseConnection(request: IncomingMessage): Problem | undefined {
    if (this.#io.engine.clientsCount >= clientsMax + sparePlaces) return tooManyClients;
    return this.#options.refuseRequest(request);
  }

  async #welcome(socket: HubSocket): Promise<void> {
    const handshake = readHandshake(socket);
    if (!handshake.ok) return refuse(socket, handshake.error);
    const spoken = handshake.value.protocolVersion;
    if (spoken !== undefined && spoken !== protocolVersion) return refuse(socket, otherVersion(spoken));
    const session = await this.#findSession(handshake.value.sessionId);
    if (!session.ok) return refuse(socket, session.error);
    if (this.#clientCount >= clientsMax) return refuse(socket, tooManyClients);
    if (socket.connected) this.#seat(socket, session.value);
  }

  async #findSession(sessionId: string | undefined): Promise<Result<SessionSource, Problem>> {
    const { tracing } = this.#options;
    const sessions = tracing.sessions();
    // Without a choice: where something was traced, rather than a session that was merely looked at.
    const known = sessions.find((one) => (sessionId === undefined ? one.view().runs.length > 0 : one.id === sessionId));
    if (known !== undefined) return { ok: true, value: known };
    if (sessionId !== undefined) return { ok: false, error: unknownSession(sessionId) };
    const [first] = await tracing.targets();
    if (first === undefined) return { ok: false, error: noTarget };
    const made = await tracing.session(first.id);
    if (made.ok) return made;
    const { kind, message, remedy } = made.error;
    return { ok: false, error: { error: kind, message, remedy } };
  }

  #seat(socket: HubSocket, session: SessionSource): void {
    const room = this.#rooms.get(session.id) ?? this.#open(session);
    const flow = new ClientFlow(
      room.feed,
      {
        sendSnapshot: (snapshot, received) => socket.emit('snapshot', snapshot, () => this.#serve(socket, received)),
        sendFrame: (header, bytes, received) =>
          socket.emit('frame', header, bytes, () => this.#serve(socket, received)),
      },
      () => performance.now(),
    );
    room.flows.set(socket, flow);
    this.#clientCount += 1;
    socket.once('disconnect', () => {
      this.#clientCount -= 1;
      room.flows.delete(socket);
      if (room.flows.size > 0) return;
      room.unsubscribe();
      this.#rooms.delete(session.id);
    });
    socket.on('resync', () => this.#serve(socket, () => flow.resync()));
    this.#serve(socket, () => flow.push());
  }

  #open(session: SessionSource): Room {
    const feed = new Feed(session, { serverVersion: this.#options.serverVersion, nowMs: () => Date.now() });
    const flows = new Map<HubSocket, ClientFlow>();
    const unsubscribe = session.onTick((tick) => {
      feed.take(tick);
      for (const [socket, flow] of flows) this.#serve(socket, () => flow.push());
    });
    const room = { feed, flows, unsubscribe };
    this.#rooms.set(session.id, room);
    return room;
  }

  /** A client that cannot be served is let go: listeners of ticks must not throw, for the session's sake. */
  #serve(socket: HubSocket, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#options.reportError(error);
      socket.disconnect(true);
    }
  }
}

function readHandshake(socket: HubSocket): Result<Handshake, Problem> {
  const { auth } = socket.handshake;
  if (Value.Check(HandshakeSchema, auth)) return { ok: true, value: auth };
  return {
    ok: false,
    error: {
      error: 'bad-handshake',
      message: 'The handshake of this socket holds something else than sessionId, token and protocolVersion.',
      remedy: 'Reload the page; another client must send only these.',
    },
  };
}

/** Tells the client why, then closes its connection; socket.io's client does not try again after that. */
function refuse(socket: HubSocket, problem: Problem): void {
  socket.emit('refused', problem);
  socket.disconnect(true);
}

/** An error whose `data` reaches the client as `error.data` of its `connect_error`. */
function asConnectError(problem: Problem): Error {
  return Object.assign(new Error(problem.message), { data: problem });
}

function otherVersion(spoken: number): Problem {
  return {
    error: 'other-version',
    message: `The page speaks version ${spoken} of the live protocol, this server version ${protocolVersion}.`,
    remedy: 'Reload the page.',
  };
}

function unknownSession(sessionId: string): Problem {
  return {
    error: 'unknown-session',
    message: `This server has no session ${JSON.stringify(sessionId)}; it may have been restarted.`,
    remedy: 'Reload the page, or look up the sessions with GET /api/v1/sessions.',
  };
}

const tooManyClients: Problem = {
  error: 'too-many-clients',
  message: `${clientsMax} clients are connected already, which is all that this server serves.`,
  remedy: 'Close a page that is not needed, then reload this one.',
};

const noTarget: Problem = {
  error: 'unknown-target',
  message: 'This server knows no target to trace.',
  remedy: 'Start it with --replay, or look at what it printed.',
};
