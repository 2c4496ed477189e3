/** Finding a port: the one asked for or none, the default one or the next free. */
import { err, ok, portsTriedMax, type Result } from '@faultline/shared';
import { printable } from '../http/auth.ts';
import type { App } from '../http/fastify.ts';
import { findPortOwner } from './port-owner.ts';

/** The port when nobody asks for another. */
export const defaultPort = 7766;

/** Why nothing listens. */
export type ListenError = { readonly message: string; readonly remedy: string };

/** Starts listening; gives the port. `asked` undefined: the default one or one of the next. */
export async function listen(
  app: App,
  where: { readonly host: string; readonly asked: number | undefined },
): Promise<Result<number, ListenError>> {
  const { host, asked } = where;
  const first = asked ?? defaultPort;
  const last = asked === undefined ? defaultPort + portsTriedMax - 1 : asked;
  for (let port = first; port <= last; port += 1) {
    const failure = await tryToListen(app, host, port);
    if (failure === undefined) return ok(portOf(app, port));
    if (failure !== 'EADDRINUSE') return err(listenFailure(failure, host, port));
  }
  const owner = await findPortOwner(first);
  const message = `port ${first}${first === last ? '' : ` (and every port up to ${last})`} is in use${owner === undefined ? '' : ` by ${owner}`}`;
  const remedy = `Stop that process, or choose another port with --port${asked === undefined ? '' : '; without --port the next free one is taken'}.`;
  return err({ message, remedy });
}

/** Undefined when it listens, else the code of the error. */
async function tryToListen(app: App, host: string, port: number): Promise<string | undefined> {
  try {
    await app.listen({ host, port });
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
    throw error;
  }
}

function portOf(app: App, port: number): number {
  const address = app.server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function listenFailure(code: string, host: string, port: number): ListenError {
  const where = `${printable(host)}:${port}`;
  if (code === 'EACCES')
    return { message: `this user may not listen on ${where}`, remedy: 'Choose a port from 1024 on with --port.' };
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      message: `${host} is no address of this machine`,
      remedy: 'Give one of its own with --host, or 0.0.0.0 for all of them.',
    };
  }
  return {
    message: `can't listen on ${where} (${code})`,
    remedy: 'Choose another address or port with --host and --port.',
  };
}
