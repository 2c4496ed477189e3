/** Requests with headers that no well-behaved client would send: bytes on a socket. */
import { connect } from 'node:net';

/** Sends text to a loopback port and reads until the other side closes or `until` is seen. */
function rawExchange(port: number, text: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    const finish = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(5_000, finish);
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (until?.test(answer) === true) finish();
    });
    socket.on('end', finish);
    socket.on('error', reject);
  });
}

/** A raw request; answers with status, header text and body. */
export async function rawRequest(
  port: number,
  line: string,
  headers: readonly string[],
  body = '',
): Promise<{ readonly status: number; readonly head: string; readonly body: string }> {
  const length = body === '' ? [] : [`content-length: ${Buffer.byteLength(body)}`];
  const text = [`${line} HTTP/1.1`, ...headers, ...length, 'connection: close', '', body].join('\r\n');
  const answer = await rawExchange(port, text);
  const [head = '', ...rest] = answer.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: rest.join('\r\n\r\n') };
}

/** A websocket handshake for socket.io; answers with the status line's number: 101 when let in. */
export async function rawUpgrade(port: number, headers: readonly string[]): Promise<number> {
  const text = [
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1',
    ...headers,
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  ].join('\r\n');
  const answer = await rawExchange(port, text, /\r\n\r\n/);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}
