/** The live socket: snapshots and frames of one session. It reconnects by itself; the page only acknowledges. */
import { type ClientEvents, type Handshake, type ServerEvents, protocolVersion } from '@faultline/shared';
import { type Socket, io } from 'socket.io-client';

/** What the socket tells. A snapshot and a frame must be acknowledged with `received` once they are taken in. */
export type FeedListeners = ServerEvents & {
  readonly connected: () => void;
  readonly disconnected: (reason: string) => void;
};

/** An open feed. */
export type Feed = { readonly resync: () => void; readonly close: () => void };

/** Longest wait between two attempts to connect again, ms. */
const reconnectDelayMaxMs = 2_000;

/** Opens the feed of a session; of the server's first one where no id is given. */
export function openFeed(
  session: { readonly id: string | undefined; readonly token: string | undefined },
  listeners: FeedListeners,
): Feed {
  const auth: Handshake = { protocolVersion };
  if (session.id !== undefined) auth.sessionId = session.id;
  if (session.token !== undefined) auth.token = session.token;
  const socket: Socket<ServerEvents, ClientEvents> = io({
    path: '/socket.io',
    transports: ['websocket', 'polling'],
    auth,
    reconnectionDelay: 250,
    reconnectionDelayMax: reconnectDelayMaxMs,
  });
  socket.on('connect', listeners.connected);
  let timer: ReturnType<typeof setTimeout> | undefined;
  socket.on('disconnect', (reason) => {
    listeners.disconnected(reason);
    // socket.io connects again by itself unless the server sent the page away; a server that restarts does that.
    if (reason === 'io server disconnect') timer = setTimeout(() => socket.connect(), reconnectDelayMaxMs / 2);
  });
  socket.on('connect_error', (error) => {
    // A refusal by the server (token, version) comes as an error with data and is not tried again by socket.io.
    if (!socket.active) listeners.refused({ error: 'refused', message: error.message });
    else listeners.disconnected(error.message);
  });
  socket.on('snapshot', listeners.snapshot);
  socket.on('frame', listeners.frame);
  socket.on('refused', listeners.refused);
  return {
    resync: () => void socket.emit('resync'),
    close: () => {
      clearTimeout(timer);
      socket.close();
    },
  };
}
