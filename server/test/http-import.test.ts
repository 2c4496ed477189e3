/** Files sent to a server from elsewhere: too large ones, ones without an end, and several at once. */
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { importBytesMax } from '@faultline/shared';
import { importSession } from '../src/sessions/import-session.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { openTempStore, recordBusySession, type TempStore } from './fakes/temp-store.ts';
import { TwoStores } from './fakes/two-stores.ts';
import { until } from './until.ts';

const smallMax = 1024 * 1024;

let temp: TempStore;
let server: StartedApp;
let file: string;

beforeEach(async () => {
  temp = await openTempStore();
  server = await startApp({ library: temp.store.library, importBytesMax: smallMax });
  await recordBusySession(temp, 'host-1');
  file = await (await fetch(`${server.url}/api/v1/recordings/host-1/export/jsonl`)).text();
  temp.store.library.remove('host-1');
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

const names = (): readonly string[] => readdirSync(temp.folder).filter((name) => !name.endsWith('.lock'));

async function send(body: string | ReadableStream<Uint8Array>): Promise<{ status: number; message: string }> {
  const answer = await fetch(`${server.url}/api/v1/recordings`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body,
    // Node's fetch wants it said for a stream.
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
  const { message = '' } = (await answer.json()) as { message?: string };
  return { status: answer.status, message };
}

/** The file of the session with another id. */
const named = (id: string): string => file.replaceAll('host-1', id);

describe('a file that is too large', () => {
  it('is refused before it is sent, where its length is said', async () => {
    const whole = await startApp({ library: temp.store.library });
    const socket = connect(whole.port, '127.0.0.1');
    const head = [
      'POST /api/v1/recordings HTTP/1.1',
      `Host: 127.0.0.1:${whole.port}`,
      'content-type: application/octet-stream',
      `content-length: ${importBytesMax + 1}`,
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n{"kind":"faultline-session"`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 (?:413|422) /);
    socket.destroy();
    await whole[Symbol.asyncDispose]();
    expect(names()).toEqual(['.reserve']);
  });

  it('is refused at the bound, where it comes without an end, and nothing of it stays', async () => {
    let sentBytes = 0;
    const zeros = new ReadableStream<Uint8Array>({
      pull(controller) {
        sentBytes += 64 * 1024;
        controller.enqueue(new Uint8Array(64 * 1024));
      },
    });
    // The server may cut the connection while we are still sending: then there is no answer to read.
    const answer = await send(zeros).catch(() => undefined);
    if (answer !== undefined)
      expect(answer).toMatchObject({ status: 422, message: expect.stringMatching(/larger than 1 MiB/) });
    await until(() => names().length === 1);
    expect(names()).toEqual(['.reserve']);
    expect(sentBytes).toBeLessThan(smallMax * 64);
    expect((await send(file)).status).toBe(201);
  });

  it.each(['archive', 'jsonl', 'csv'] as const)('is refused where its journal is larger, as %s', async (format) => {
    await using two = await TwoStores.open();
    await recordBusySession(two.origin, 'host-1');
    writeFileSync(two.path('given'), await two.exported('host-1', format));
    const { library } = two.other.store;
    expect(await importSession(library, two.path('given'), 1_000)).toMatchObject({
      ok: false,
      error: { kind: 'session-unreadable', message: expect.stringMatching(/unpacked it is larger than 1000 B/) },
    });
    expect(two.names()).toEqual(['.reserve']);
    expect(await importSession(library, two.path('given'), 100_000)).toMatchObject({ ok: true });
  });
});

describe('several files at once', () => {
  it('become sessions side by side', async () => {
    const answers = await Promise.all([send(named('one')), send(named('two'))]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    await until(() => !names().some((name) => name.startsWith('.import')));
    expect(names()).toEqual(['.reserve', 'one', 'two']);
  });

  it('of one id become one session, and the other is refused', async () => {
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all([send(named('one')), send(named('one'))]);
      expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
      expect(names()).toEqual(['.reserve', 'one']);
      expect(temp.store.library.findReadable('one')).toMatchObject({ ok: true, value: { manifest: { id: 'one' } } });
      expect(temp.store.library.remove('one')).toMatchObject({ ok: true });
    }
  });

  it('are refused beyond the two that are being imported, which go on', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const slow = (text: string): ReadableStream<Uint8Array> =>
      new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.from(text.slice(0, 100)));
          await held;
          controller.enqueue(Buffer.from(text.slice(100)));
          controller.close();
        },
      });
    const first = [send(slow(named('one'))), send(slow(named('two')))];
    await until(() => names().filter((name) => name.startsWith('.import')).length === 2);
    expect(await send(named('three'))).toMatchObject({ status: 409 });
    release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([201, 201]);
  });
});
