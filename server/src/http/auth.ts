/**
 * Who may talk to this server. It drives a root process, so by default only this machine may, and no web page but
 * ours: the Host header must name us (against DNS rebinding), an Origin must be ours (against other sites' fetch and
 * WebSocket), Sec-Fetch-Site must not be another site (against plain links, images and scripts). Beyond loopback a
 * token is demanded.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Problem } from '@faultline/shared';

/** What the server was told about who may come. */
export type Access = {
  /** The address it is bound to, as given: 127.0.0.1, ::1, 0.0.0.0, a name. */
  readonly host: string;
  /** Further host names, each with or without a port (without: any port). */
  readonly allowedHosts: readonly string[];
  /** Demanded when present. */
  readonly token: string | undefined;
};

/** An answer instead of what was asked for. */
export type Denial = { readonly status: 401 | 403 | 415 | 421; readonly problem: Problem };

/** What is asked for. */
export type Asked = {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** The port at our end of the connection. */
  readonly port: number | undefined;
  /** A page may be linked to from elsewhere; data and commands may not. */
  readonly isApi: boolean;
};

/** Bytes of a token that we make: 24, of which guessing one is hopeless. */
const tokenBytes = 24;

/** A new token, as text for a URL. */
export function makeToken(): string {
  return randomBytes(tokenBytes).toString('base64url');
}

/** Whether an address to bind to is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  const name = unbracketed(host).toLowerCase();
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Why a request is not answered, or undefined. Tokens are a separate question, see denyToken. */
export function denyRequest(asked: Asked, access: Access): Denial | undefined {
  return denyHost(asked, access) ?? denyOrigin(asked) ?? denyContentType(asked);
}

/** Why a client with this token (or none) is not served, or undefined. Compares in constant time. */
export function denyToken(token: string | undefined, access: Access): Denial | undefined {
  if (access.token === undefined) return undefined;
  if (token !== undefined && timingSafeEqual(digest(token), digest(access.token))) return undefined;
  const message = token === undefined ? 'This server demands a token.' : 'The token is not the one of this server.';
  const remedy =
    'Open the URL that faultline printed when it started (it ends in #token=…), or send Authorization: Bearer TOKEN.';
  return { status: 401, problem: { error: 'unauthorized', message, remedy } };
}

/** The token of an Authorization header, or undefined. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^bearer +(?<token>[^ ]+) *$/i.exec(authorization ?? '')?.groups?.['token'];
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function denyHost({ headers: { host }, port }: Asked, access: Access): Denial | undefined {
  if (host !== undefined && isOurHost(host, port, access)) return undefined;
  const own = `${printable(access.host)}:${port ?? 80}`;
  return {
    status: 421,
    problem: {
      error: 'wrong-host',
      message: `This server does not answer to the host ${quoted(host)}, only to its own address (${own}).`,
      remedy: `Open http://${own}/. If the name is meant to lead here, start faultline with --allow-host NAME.`,
    },
  };
}

/** Whether a Host header names this server. Other addresses are fine where we listen on all: only names can be rebound. */
function isOurHost(header: string, ownPort: number | undefined, access: Access): boolean {
  const parsed = splitHost(header);
  if (parsed === undefined) return false;
  const { name, port } = parsed;
  const isAllowed = access.allowedHosts.some((allowed) => {
    const wanted = splitHost(allowed);
    return wanted?.name === name && (wanted.port === undefined || wanted.port === port);
  });
  if (isAllowed) return true;
  if ((port ?? 80) !== ownPort) return false;
  if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return true;
  if (name === unbracketed(access.host).toLowerCase()) return true;
  return !isLoopback(access.host) && isIP(name) !== 0;
}

function denyOrigin(asked: Asked): Denial | undefined {
  const { origin, host } = asked.headers;
  if (origin !== undefined && !isOwnOrigin(origin, host)) {
    return { status: 403, problem: otherSite(`a page of ${quoted(origin)}`) };
  }
  const site = asked.headers['sec-fetch-site'];
  if (asked.isApi && site !== undefined && site !== 'same-origin' && site !== 'none') {
    return { status: 403, problem: otherSite(`a page of another site (Sec-Fetch-Site: ${site})`) };
  }
  return undefined;
}

/** An origin is ours when it names the very host that the request itself is for, which was checked before. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  const scheme = /^https?:\/\//.exec(origin)?.[0];
  if (scheme === undefined || host === undefined) return false;
  const own = splitHost(origin.slice(scheme.length));
  const asked = splitHost(host);
  return own !== undefined && own.name === asked?.name && own.port === asked.port;
}

function otherSite(who: string): Problem {
  return {
    error: 'cross-site',
    message: `The request comes from ${who}, and only this server's own page may use it.`,
    remedy: 'Use the page that this server serves, or a command such as curl.',
  };
}

/** What a form or a simple cross-site request cannot send: JSON for commands, and what a session is imported from. */
const ownTypes = [
  'application/json',
  'application/gzip',
  'application/x-ndjson',
  'application/octet-stream',
  'text/csv',
];

/** Whatever changes something must come as one of these; a route takes only those that it has a parser for. */
function denyContentType({ method, headers }: Asked): Denial | undefined {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return undefined;
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && ownTypes.includes(type)) return undefined;
  return {
    status: 415,
    problem: {
      error: 'not-json',
      message: `A ${method} request must have the content type application/json, not ${quoted(headers['content-type'])}.`,
      remedy: "Send the header content-type: application/json (curl: -H 'content-type: application/json').",
    },
  };
}

/** Name (lower case, without brackets) and port of `name`, `name:port`, `[::1]:port`. Undefined when it is neither. */
function splitHost(text: string): { readonly name: string; readonly port: number | undefined } | undefined {
  const match = /^(?<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?<port>[0-9]{1,5}))?$/i.exec(text);
  const { name, port } = match?.groups ?? {};
  if (name === undefined) return undefined;
  return { name: unbracketed(name).toLowerCase(), port: port === undefined ? undefined : Number(port) };
}

function unbracketed(name: string): string {
  return name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name;
}

/** An address as it stands in a URL. */
export function printable(host: string): string {
  return isIP(unbracketed(host)) === 6 ? `[${unbracketed(host)}]` : host;
}

/** A header in a message: bounded, and with nothing a terminal would obey. */
function quoted(text: string | undefined): string {
  return text === undefined ? '(none)' : JSON.stringify(text.slice(0, 100));
}
