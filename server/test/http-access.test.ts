import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rawRequest, rawUpgrade } from './fakes/raw-request.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';

const json = 'content-type: application/json';
const start = JSON.stringify({ targetId: 'host', probe: 'mmap-lock' });

describe('a server on loopback', () => {
  let server: StartedApp;
  beforeAll(async () => {
    server = await startApp();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const own = () => `host: 127.0.0.1:${server.port}`;
  const statusOf = async (headers: readonly string[], line = 'GET /api/v1/runs', body = '') =>
    (await rawRequest(server.port, line, headers, body)).status;

  it('answers its own name only, on every path', async () => {
    for (const path of ['/api/v1/runs', '/', '/api/docs/', '/api/v1/openapi.json', '/nothing']) {
      expect(await statusOf(['host: evil.example'], `GET ${path}`)).toBe(421);
    }
    expect(await statusOf([own()])).toBe(200);
    expect(await statusOf([`host: localhost:${server.port}`])).toBe(200);
    expect(await statusOf([`host: [::1]:${server.port}`])).toBe(200);
    expect(await statusOf([`host: localhost:${server.port + 1}`])).toBe(421);
  });

  it('refuses other sites: by origin, and by Sec-Fetch-Site where data is asked for', async () => {
    expect(await statusOf([own(), 'origin: http://evil.example'])).toBe(403);
    expect(await statusOf([own(), 'origin: null'])).toBe(403);
    expect(await statusOf([own(), `origin: http://127.0.0.1:${server.port}`])).toBe(200);
    expect(await statusOf([own(), 'sec-fetch-site: cross-site'])).toBe(403);
    expect(await statusOf([own(), 'sec-fetch-site: same-site'])).toBe(403);
    expect(await statusOf([own(), 'sec-fetch-site: cross-site'], 'GET /')).toBe(503);
    expect(await statusOf([own(), 'sec-fetch-site: cross-site'], 'GET /%61pi/v1/runs')).toBe(403);
  });

  it('starts nothing for a form, a text or another site', async () => {
    const post = 'POST /api/v1/runs';
    expect(await statusOf([own(), 'content-type: text/plain'], post, start)).toBe(415);
    expect(await statusOf([own(), 'content-type: application/x-www-form-urlencoded'], post, 'probe=mmap-lock')).toBe(
      415,
    );
    expect(await statusOf([own()], 'POST /api/v1/runs/run-0/stop')).toBe(415);
    expect(await statusOf([own(), json, 'origin: http://evil.example'], post, start)).toBe(403);
    expect(await statusOf([own(), json, 'sec-fetch-site: cross-site'], post, start)).toBe(403);
    expect(await statusOf(['host: evil.example', json], post, start)).toBe(421);
    expect(server.tracing.started).toEqual([]);
    expect(await statusOf([own(), json], post, start)).toBe(201);
    expect(server.tracing.started).toHaveLength(1);
  });

  it('lets a websocket in from its own page and from programs only', async () => {
    // 400 is how engine.io refuses an upgrade; the words of the refusal are in its body.
    expect(await rawUpgrade(server.port, [own()])).toBe(101);
    expect(await rawUpgrade(server.port, [own(), `origin: http://127.0.0.1:${server.port}`])).toBe(101);
    expect(await rawUpgrade(server.port, [own(), 'origin: http://evil.example'])).toBe(400);
    expect(await rawUpgrade(server.port, [own(), `origin: http://localhost:${server.port}`])).toBe(400);
    expect(await rawUpgrade(server.port, [own(), 'origin: null'])).toBe(400);
    expect(await rawUpgrade(server.port, ['host: evil.example', 'origin: http://evil.example'])).toBe(400);
    expect(await rawUpgrade(server.port, [own(), 'sec-fetch-site: cross-site'])).toBe(400);
  });

  it('opens no long-polling session to another site', async () => {
    const line = 'GET /socket.io/?EIO=4&transport=polling';
    expect(await statusOf([own()], line)).toBe(200);
    expect(await statusOf([own(), 'origin: http://evil.example'], line)).toBe(403);
    expect(await statusOf([own(), 'sec-fetch-site: cross-site'], line)).toBe(403);
    expect(await statusOf(['host: evil.example'], line)).toBe(403);
  });

  it('sends the safety headers with every answer, refusals too', async () => {
    for (const [line, host] of [
      ['GET /api/v1/runs', own()],
      ['GET /', own()],
      ['GET /nothing', own()],
      ['GET /', 'host: evil.example'],
    ] as const) {
      const { head } = await rawRequest(server.port, line, [host]);
      expect(head).toMatch(/^content-security-policy: default-src 'self';.*frame-ancestors 'none'/im);
      expect(head).toMatch(/^x-content-type-options: nosniff/im);
      expect(head).toMatch(/^referrer-policy: no-referrer/im);
      expect(head).not.toMatch(/^access-control-allow/im);
    }
  });
});

describe('a server with a token', () => {
  let server: StartedApp;
  beforeAll(async () => {
    server = await startApp({
      access: { host: '0.0.0.0', allowedHosts: ['trace.example'], token: 'open sesame'.replace(' ', '-') },
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());
  const ask = (headers: readonly string[], line = 'GET /api/v1/runs', body = '') =>
    rawRequest(server.port, line, [`host: trace.example:${server.port}`, ...headers], body);

  it('shows data to those who have it', async () => {
    expect((await ask(['authorization: Bearer open-sesame'])).status).toBe(200);
    const without = await ask([]);
    expect(without).toMatchObject({ status: 401, head: expect.stringMatching(/^www-authenticate: Bearer/im) });
    expect(JSON.parse(without.body)).toMatchObject({
      error: 'unauthorized',
      remedy: expect.stringContaining('#token='),
    });
    expect((await ask(['authorization: Bearer wrong'])).status).toBe(401);
    expect((await ask([], 'GET /api/v1/runs?token=open-sesame')).status).toBe(401);
  });

  it('is not fooled by other spellings of a path', async () => {
    for (const path of [
      '/%61pi/v1/runs',
      '/api/%76%31/runs',
      '//api/v1/runs',
      '/api/v1/runs/',
      '/api/v1//runs',
      '/api/v1/RUNS',
    ]) {
      expect([401, 404]).toContain((await ask([], `GET ${path}`)).status);
    }
    expect((await ask([json], 'POST /%61pi/v1/runs', start)).status).toBe(401);
    expect(server.tracing.started).toEqual([]);
  });

  it('shows the page and the description of the interface to all, for they hold no data', async () => {
    expect((await ask([], 'GET /')).status).toBe(503);
    expect((await ask([], 'GET /api/v1/openapi.json')).status).toBe(200);
  });
});
