import { mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removedKeptMs } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exportFormats } from '../src/exports/formats.ts';
import { importSession } from '../src/sessions/import-session.ts';
import { busyProbe } from './fakes/busy-probe.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { until } from './until.ts';
import { busySession, openTempStore, pushBusyTick, recordBusySession, type TempStore } from './fakes/temp-store.ts';

let temp: TempStore;
let server: StartedApp;

beforeEach(async () => {
  temp = await openTempStore();
  server = await startApp({ store: temp.store });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

async function ask(method: string, path: string, body?: object): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${server.url}/api/v1/recordings${path}`, {
    method,
    ...(method === 'GET' ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** 200,000 calls. */
async function recordLongSession(id: string): Promise<void> {
  const session = busySession(id);
  const recording = temp.store.record(session, [busyProbe]);
  for (let tick = 0; tick < 100; tick += 1) pushBusyTick(session, 5, 2_000);
  await recording.close();
}

describe('recorded sessions over HTTP', () => {
  it('are listed, shown, pinned and removed', async () => {
    await recordBusySession(temp, 'host-1');
    expect(await ask('GET', '')).toMatchObject({ status: 200, body: [{ id: 'host-1', isLive: false }] });
    expect(await ask('GET', '/host-1')).toMatchObject({ status: 200, body: { manifest: { held: { tickCount: 3 } } } });
    expect(await ask('POST', '/host-1/pin', { isPinned: true })).toMatchObject({
      status: 200,
      body: { manifest: { isPinned: true } },
    });
    const removed = await ask('DELETE', '/host-1');
    expect(removed).toEqual({ status: 200, body: { id: 'host-1', restorableUntilMs: expect.any(Number) } });
    expect(await ask('GET', '')).toEqual({ status: 200, body: [] });
  });

  it('that were removed can be restored, whole, for some minutes and no longer', async () => {
    await recordBusySession(temp, 'host-1');
    const before = await ask('GET', '/host-1');
    await ask('DELETE', '/host-1');
    const bounds = { bytesMax: 1e9, ageMaxMs: Number.MAX_SAFE_INTEGER };
    temp.store.library.prune(bounds, Date.now());
    expect(await ask('POST', '/host-1/restore')).toEqual(before);
    expect(await ask('POST', '/host-1/restore')).toMatchObject({ status: 404 });
    await ask('DELETE', '/host-1');
    await recordBusySession(temp, 'host-1');
    expect(await ask('POST', '/host-1/restore')).toMatchObject({ status: 409, body: { error: 'session-exists' } });
    await ask('DELETE', '/host-1');
    temp.store.library.prune(bounds, Date.now() + removedKeptMs + 1_000);
    for (const id of ['host-1', '..', '%2E%2E%2Fhost-1'])
      expect((await ask('POST', `/${id}/restore`)).status).toBeGreaterThanOrEqual(400);
    expect(readdirSync(temp.folder)).toEqual(['.reserve']);
  });

  it('that were removed go first where there is too much', async () => {
    for (const id of ['a', 'b']) await recordBusySession(temp, id);
    await ask('DELETE', '/a');
    const { bytes } = temp.store.view();
    expect(temp.store.view()).toMatchObject({ sessionCount: 1, removedBytes: expect.any(Number) });
    temp.store.bound({ bytesMax: bytes - 1 });
    expect(temp.store.view()).toMatchObject({ sessionCount: 1, removedBytes: 0 });
  });

  it('are named, labelled, noted and marked, and told why where a text can not be kept', async () => {
    await recordBusySession(temp, 'host-1');
    expect(await ask('PATCH', '/host-1', { name: 'one', label: 'A' })).toMatchObject({
      status: 200,
      body: { manifest: { name: 'one', label: 'A' } },
    });
    const unnamed = await ask('PATCH', '/host-1', { name: null });
    expect(unnamed).toMatchObject({ status: 200, body: { manifest: { label: 'A' } } });
    expect(JSON.stringify(unnamed)).not.toContain('"name":"one"');
    expect(await ask('POST', '/host-1/notes', { text: '<script>' })).toMatchObject({
      status: 200,
      body: { manifest: { notes: [{ text: '<script>', atMs: expect.any(Number) }] } },
    });
    const noted = temp.store.library.findReadable('host-1');
    const atMs = noted.ok ? noted.value.manifest.notes[0]?.atMs : undefined;
    expect(await ask('PATCH', '/host-1/notes', { atMs, text: 'changed' })).toMatchObject({
      status: 200,
      body: { manifest: { notes: [{ text: 'changed', atMs }] } },
    });
    expect(await ask('PATCH', '/host-1/notes', { atMs: 7, text: 'of no note' })).toMatchObject({ status: 404 });
    expect(await ask('PATCH', '/host-1/notes', { atMs, text: '' })).toMatchObject({ status: 400 });
    expect(await ask('PATCH', '/host-1/notes', { atMs, text: null })).toMatchObject({
      status: 200,
      body: { manifest: { notes: [] } },
    });
    await ask('POST', '/host-1/marks', { text: 'later', atMs: 9 });
    expect(await ask('POST', '/host-1/marks', { text: 'earlier', atMs: 5 })).toMatchObject({
      status: 200,
      body: { manifest: { marks: [{ text: 'earlier', atMs: 5 }, { text: 'later' }] } },
    });
    for (const [path, body] of [
      ['/notes', { text: 'a\u0000' }],
      ['/marks', { text: '' }],
      ['/marks', { text: 'a', atMs: -1 }],
      ['', { name: 'x'.repeat(121) }],
    ] as const)
      expect((await ask(path === '' ? 'PATCH' : 'POST', `/host-1${path}`, body)).status).toBe(400);
    temp.store.library.edit('host-1', () => ({ notes: Array.from({ length: 1_000 }, () => ({ atMs: 1, text: 'n' })) }));
    expect(await ask('POST', '/host-1/notes', { text: 'one more' })).toMatchObject({ status: 400 });
    expect(temp.store.library.edit('host-1', () => ({ name: 'a\u0007' }))).toMatchObject({ ok: false });
    expect(temp.store.library.findReadable('host-1')).toMatchObject({ ok: true });
  });

  it('are marked while they are recorded, and keep it', async () => {
    const session = busySession('live');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    const beforeMs = Date.now();
    expect(await ask('POST', '/live/marks', { text: 'here I unbound the device' })).toMatchObject({ status: 200 });
    pushBusyTick(session, 1, 1);
    await recording.close();
    const found = temp.store.library.findReadable('live');
    const [mark] = found.ok ? found.value.manifest.marks : [];
    expect(mark?.text).toBe('here I unbound the device');
    expect(mark?.atMs).toBeGreaterThanOrEqual(beforeMs);
  });

  it('have bounds that are shown and can be set, within which the oldest go', async () => {
    for (const id of ['a', 'b']) await recordBusySession(temp, id);
    const { bytes } = temp.store.view();
    const store = async (method: string, body?: object): Promise<{ status: number; body: unknown }> => {
      const sent =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${server.url}/api/v1/store`, { method, ...sent });
      return { status: answer.status, body: await answer.json() };
    };
    const preview = async (query: string): Promise<unknown> =>
      (await fetch(`${server.url}/api/v1/store/preview?${query}`)).json();
    expect(await store('GET')).toEqual({ status: 200, body: { ...temp.store.view(), bytes, sessionCount: 2 } });
    // What a bound would take away is said before, and is what goes then.
    const [oldest] = temp.store.library.list().slice(-1);
    const nothing = { sessions: [], bytes: 0, forgottenBytes: 0, excessBytes: 0 };
    expect(await preview(`bytesMax=${bytes}`)).toEqual(nothing);
    expect(await preview('sessionBytesMax=1&sessionAgeMaxMs=1')).toEqual(nothing);
    expect(await preview(`bytesMax=${bytes - 1}`)).toEqual({
      ...nothing,
      sessions: [oldest?.id],
      bytes: oldest?.bytes,
    });
    expect(await preview('bytesMax=0')).toMatchObject({ error: 'bad-request' });
    // Nobody else's page sets them: neither another site nor a form.
    const foreign = { method: 'PATCH', body: JSON.stringify({ bytesMax: 1 }) };
    const json = { 'content-type': 'application/json' };
    for (const headers of [
      { ...json, origin: 'http://evil.example' },
      { ...json, 'sec-fetch-site': 'cross-site' },
    ])
      expect((await fetch(`${server.url}/api/v1/store`, { ...foreign, headers })).status).toBe(403);
    const form = { 'content-type': 'text/plain' };
    expect((await fetch(`${server.url}/api/v1/store`, { ...foreign, headers: form })).status).toBe(415);
    expect(temp.store.view().sessionCount).toBe(2);
    expect(await store('PATCH', { bytesMax: bytes - 1 })).toMatchObject({
      status: 200,
      body: { sessionCount: 1, limits: { bytesMax: bytes - 1 } },
    });
    expect(temp.store.library.list().map(({ id }) => id)).not.toContain(oldest?.id);
    expect(await store('PATCH', { bytesMax: 0 })).toMatchObject({ status: 400 });
    expect(await store('PATCH', { bogus: 1 })).toMatchObject({ status: 400 });
  });

  it.each([
    ['archive', 'application/gzip'],
    ['jsonl', 'application/x-ndjson'],
    ['csv', 'text/csv'],
    ['archive', 'application/octet-stream'],
  ])('are imported as %s sent as %s', async (format, type) => {
    await recordBusySession(temp, 'host-1');
    const file = await (await fetch(`${server.url}/api/v1/recordings/host-1/export/${format}`)).arrayBuffer();
    const send = (body: ArrayBuffer | string): Promise<Response> =>
      fetch(`${server.url}/api/v1/recordings`, { method: 'POST', headers: { 'content-type': type }, body });
    expect((await send(file)).status).toBe(409);
    temp.store.library.remove('host-1');
    const answer = await send(file);
    expect([answer.status, await answer.json()]).toMatchObject([201, { id: 'host-1', isLive: false }]);
    expect(await ask('GET', '/host-1/calls')).toMatchObject({ status: 200, body: { total: 12 } });
    temp.store.library.remove('host-1');
    expect((await send(file.slice(0, file.byteLength / 2))).status).toBe(422);
    expect((await send('<html>')).status).toBe(422);
    expect(readdirSync(temp.folder)).toEqual(['.reserve']);
  });

  it('are not imported from what a form of another site could send', async () => {
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded']) {
      const sent = { method: 'POST', headers: { 'content-type': type }, body: 'x' };
      expect((await fetch(`${server.url}/api/v1/recordings`, sent)).status).toBe(415);
    }
    const elsewhere = { method: 'POST', headers: { 'content-type': 'application/gzip' }, body: 'x' };
    expect((await fetch(`${server.url}/api/v1/runs`, elsewhere)).status).toBe(415);
  });

  it('are meant by their whole id alone', async () => {
    await recordBusySession(temp, 'host-1');
    for (const wrong of ['host', 'last', '..%2Fhost-1']) {
      expect(await ask('DELETE', `/${wrong}`)).toMatchObject({ status: 404, body: { error: 'unknown-session' } });
    }
    expect(await ask('GET', '/host-1/export/bogus')).toMatchObject({ status: 400 });
  });

  it('are not removed while they are recorded', async () => {
    const session = busySession('host-1');
    const recording = temp.store.record(session, [busyProbe]);
    pushBusyTick(session, 1, 1);
    expect(await ask('DELETE', '/host-1')).toMatchObject({ status: 409, body: { error: 'session-live' } });
    await recording.close();
  });

  it.each(Object.entries(exportFormats))('come as %s, under a name, as the type they are', async (format, expected) => {
    await recordBusySession(temp, 'host-1');
    const answer = await fetch(`${server.url}/api/v1/recordings/host-1/export/${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe(expected.contentType);
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="host-1.${expected.extension}"`);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(20);
  });

  it('say how long they are, or about how long they will be', async () => {
    await recordBusySession(temp, 'small');
    await recordLongSession('long');
    for (const format of Object.keys(exportFormats)) {
      const answer = await fetch(`${server.url}/api/v1/recordings/small/export/${format}`);
      expect([format, Number(answer.headers.get('content-length'))]).toEqual([
        format,
        (await answer.arrayBuffer()).byteLength,
      ]);
    }
    for (const format of ['jsonl', 'csv', 'chrome-json', 'perfetto', 'folded', 'text'] as const) {
      const answer = await fetch(`${server.url}/api/v1/recordings/long/export/${format}`);
      const said = Number(answer.headers.get('content-length') ?? answer.headers.get('x-faultline-expected-bytes'));
      const ratio = said / (await answer.arrayBuffer()).byteLength;
      expect([format, ratio > 0.7 && ratio < 1.5]).toEqual([format, true]);
    }
  });

  it('leave nothing open when the client goes, and come whole when it asks again', async () => {
    await recordLongSession('long');
    const openFiles = (): readonly string[] =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          const path = readlinkSync(`/proc/self/fd/${fd}`);
          return path.startsWith(temp.folder) && path.endsWith('journal.jsonl') ? [path] : [];
        } catch {
          return [];
        }
      });
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /api/v1/recordings/long/export/csv HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
    await new Promise((resolve) => void socket.once('data', resolve));
    socket.pause();
    await until(() => openFiles().length === 1);
    socket.destroy();
    await until(() => openFiles().length === 0);
    const whole = await (await fetch(`${server.url}/api/v1/recordings/long/export/csv`)).text();
    expect(whole.match(/^call,/gm)).toHaveLength(200_000);
  });

  it('with HTML in every string are data to a browser: typed, never sniffed, never shown by itself', async () => {
    const html = '<img src=x onerror=alert(1)>';
    await recordBusySession(temp, 'host-1');
    const jsonl = await (await fetch(`${server.url}/api/v1/recordings/host-1/export/jsonl`)).text();
    const file = join(temp.folder, '.hostile');
    const strings = ['testbox', '6.18.0-test', 'this machine', 'app', 'mmap-read', '0.0.0-test'];
    const changed = strings.reduce((text, word) => text.replaceAll(`"${word}"`, JSON.stringify(html)), jsonl);
    writeFileSync(
      file,
      changed.replaceAll('"host-1"', '"host-2"').replace('"notes":[]', `"notes":[{"atMs":1,"text":"${html}"}]`),
    );
    expect(await importSession(temp.store.library, file)).toMatchObject({
      ok: true,
      value: { target: { title: html, identity: { hostname: html } }, notes: [{ text: html }] },
    });
    const paths = ['', '/host-2', ...Object.keys(exportFormats).map((format) => `/host-2/export/${format}`)];
    for (const path of paths) {
      const answer = await fetch(`${server.url}/api/v1/recordings${path}`);
      expect([path, answer.status, answer.headers.get('x-content-type-options')]).toEqual([path, 200, 'nosniff']);
      expect(answer.headers.get('content-type')).not.toMatch(/html|svg|xml/);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
      if (path.includes('/export/')) expect(answer.headers.get('content-disposition')).toMatch(/^attachment; /);
    }
  });

  it('are asked for their calls, and for how often a value occurs in them', async () => {
    await recordBusySession(temp, 'host-1');
    const answer = await ask(
      'GET',
      '/host-1/calls?run=1&filter=cpu:ge:0&filter=comm:has:A&order=-endedAtNs&limit=2&offset=1',
    );
    expect(answer).toMatchObject({
      status: 200,
      body: {
        total: 12,
        columns: ['run', 'tick', 'atMs', 'endedAtNs', 'cpu', 'comm'].map((name) => ({ name })),
        rows: [
          [1, 3, 300, 2_002, 0, 'app'],
          [1, 3, 300, 2_001, 0, 'app'],
        ],
      },
    });
    expect(await ask('GET', '/host-1/calls/counts?by=tick')).toMatchObject({
      status: 200,
      body: { total: 12, groupCount: 3, groups: [{ count: 4 }, { count: 4 }, { count: 4 }] },
    });
    for (const wrong of ['limit=-1', 'limit=1001', 'order=bogus', 'filter=a', 'filter=bogus:eq:1', 'bogus=1', 'run=x'])
      expect([wrong, (await ask('GET', `/host-1/calls?${wrong}`)).status]).toEqual([wrong, 400]);
    expect(await ask('GET', '/host-2/calls')).toMatchObject({ status: 404 });
  });

  it('that came as an archive are imported again', async () => {
    await recordBusySession(temp, 'host-1');
    const answer = await fetch(`${server.url}/api/v1/recordings/host-1/export/archive`);
    const folder = mkdtempSync(join(tmpdir(), 'faultline-download-'));
    const file = join(folder, 'host-1.tar.gz');
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    await ask('DELETE', '/host-1');
    expect(await importSession(temp.store.library, file)).toMatchObject({ ok: true, value: { id: 'host-1' } });
    rmSync(folder, { recursive: true });
  });
});
