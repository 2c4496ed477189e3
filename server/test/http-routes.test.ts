import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpBodyBytesMax, type Problem } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusalStatus } from '../src/http/errors.ts';
import type { Refusal } from '../src/sessions/refusal.ts';
import { fakeProbes } from './fakes/fake-tracing.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';

let server: StartedApp;
beforeEach(async () => {
  server = await startApp();
});
afterEach(() => server[Symbol.asyncDispose]());

type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

async function get(path: string): Promise<Answer> {
  const answer = await fetch(`${server.url}${path}`);
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

async function post(path: string, body: unknown): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: text });
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

describe('looking up', () => {
  it('lists targets, probes, runs and sessions', async () => {
    expect(await get('/api/v1/targets')).toMatchObject({ status: 200, body: [{ id: 'host', kind: 'host' }] });
    expect(await get('/api/v1/probes')).toMatchObject({ status: 200, body: fakeProbes });
    expect(await get('/api/v1/runs')).toMatchObject({ status: 200, body: [] });
    expect(await get('/api/v1/sessions')).toMatchObject({ status: 200, body: [{ id: 'session-1', runs: [] }] });
  });

  it('says what a target can do, and what not', async () => {
    expect(await get('/api/v1/targets/host/preflight')).toMatchObject({ status: 200, body: { canTrace: true } });
    expect(await get('/api/v1/targets/host/plans')).toMatchObject({ status: 200, body: [] });
    expect(await get('/api/v1/targets/mars/preflight')).toMatchObject({
      status: 404,
      body: { error: 'unknown-target' },
    });
    expect(await get('/api/v1/targets/mars/plans')).toMatchObject({ status: 404, body: { error: 'unknown-target' } });
  });

  it('finds one run, its figures, and the figures of its session', async () => {
    await post('/api/v1/runs', { targetId: 'host', probe: 'mmap-lock' });
    expect(await get('/api/v1/runs/run-0')).toMatchObject({ status: 200, body: { id: 'run-0' } });
    expect(await get('/api/v1/runs/run-0/summary')).toMatchObject({ status: 200, body: { run: { id: 'run-0' } } });
    expect(await get('/api/v1/sessions/session-1/summary')).toMatchObject({ status: 200, body: { isComplete: true } });
    expect(await get('/api/v1/runs/run-9')).toMatchObject({ status: 404, body: { error: 'unknown-run' } });
    expect(await get('/api/v1/runs/run-9/summary')).toMatchObject({ status: 404, body: { error: 'unknown-run' } });
    expect(await get('/api/v1/sessions/none/summary')).toMatchObject({
      status: 404,
      body: { error: 'unknown-session' },
    });
  });

  it('is healthy', async () => {
    await post('/api/v1/runs', { targetId: 'host', probe: 'mmap-lock' });
    expect(await get('/api/v1/health')).toMatchObject({
      status: 200,
      body: { status: 'ok', version: '0.0.0-test', pid: process.pid, activeRunCount: 1, clientCount: 0 },
    });
  });

  it('says so where there is nothing', async () => {
    expect(await get('/api/v1/nothing')).toMatchObject({ status: 404, body: { error: 'not-found' } });
    expect(await get('/api/v2/runs')).toMatchObject({ status: 404, body: { error: 'not-found' } });
  });
});

describe('starting and stopping', () => {
  it('answers 201 with the run and where it is', async () => {
    const answer = await post('/api/v1/runs', { targetId: 'host', probe: 'mmap-lock', parameters: { pid: 12 } });
    expect(answer).toMatchObject({ status: 201, body: { id: 'run-0', state: 'starting', parameters: { pid: 12 } } });
    expect(answer.headers.get('location')).toBe('/api/v1/runs/run-0');
    expect(await post('/api/v1/runs/run-0/stop', '')).toMatchObject({ status: 200, body: { state: 'stopped' } });
  });

  it.each([
    [{ targetId: 'host', probe: 'mmap-lock', program: 'BEGIN { system("x") }' }, 'unknown property "program"'],
    [{ targetId: 'host', probe: 'mmap-lock', parameters: { 'x; y': 1 } }, 'unknown property "x; y"'],
    [{ targetId: 'host', probe: 'mmap-lock', parameters: { pid: '1' } }, 'body.parameters.pid must be integer'],
    [{ targetId: 'host', probe: 'mmap-lock', parameters: { pid: -1 } }, 'body.parameters.pid must be >= 0'],
    [{ targetId: 'host', probe: '../../etc' }, 'body.probe must match pattern'],
    [{ probe: 'mmap-lock' }, 'targetId'],
    [[], 'body must be object'],
    ['{"targetId":', 'JSON'],
    ['', 'targetId'],
    ['{"__proto__":{"a":1},"targetId":"host","probe":"a"}', ''],
  ])('refuses %j', async (body, words) => {
    const answer = await post('/api/v1/runs', body);
    expect(answer).toMatchObject({ status: 400, body: { error: 'bad-request' } });
    expect((answer.body as Problem).message).toContain(words);
    expect(server.tracing.started).toEqual([]);
  });

  it('refuses a body beyond the bound, and takes one just within', async () => {
    const filler = (bytes: number) => `${JSON.stringify({ targetId: 'host', probe: 'mmap-lock' })}${' '.repeat(bytes)}`;
    const size = filler(0).length;
    expect(await post('/api/v1/runs', filler(httpBodyBytesMax - size))).toMatchObject({ status: 201 });
    expect(await post('/api/v1/runs', filler(httpBodyBytesMax - size + 1))).toMatchObject({
      status: 413,
      body: { error: 'body-too-large' },
    });
  });

  const statuses: Record<Refusal['kind'], number> = {
    'unknown-target': 404,
    'unknown-probe': 404,
    'unknown-stream': 404,
    'unknown-run': 404,
    'unknown-session': 404,
    'unknown-machine': 404,
    'unknown-note': 404,
    'lab-problem': 409,
    'matrix-problem': 422,
    'store-problem': 503,
    'store-in-use': 409,
    'store-fixed': 409,
    'session-live': 409,
    'session-exists': 409,
    'session-unreadable': 422,
    'bad-parameter': 400,
    'already-running': 409,
    'too-many-runs': 409,
    'not-running': 409,
    'no-variant': 422,
    'target-problem': 503,
  };
  it.each(Object.entries(statuses) as [Refusal['kind'], number][])(
    'answers the refusal %s with %d',
    async (kind, status) => {
      expect(refusalStatus(kind)).toBe(status);
      server.tracing.refusals = [{ kind, message: 'What and where.', remedy: 'What to do.' }];
      expect(await post('/api/v1/runs', { targetId: 'host', probe: 'mmap-lock' })).toMatchObject({
        status,
        body: { error: kind, message: 'What and where.', remedy: 'What to do.' },
      });
    },
  );

  it('is over once the server stops', async () => {
    server.stopping.abort();
    expect(await post('/api/v1/runs', { targetId: 'host', probe: 'mmap-lock' })).toMatchObject({ status: 503 });
    expect(await get('/api/v1/runs')).toMatchObject({ status: 200 });
    expect(server.tracing.started).toEqual([]);
  });
});

describe('a broken invariant', () => {
  it('is logged, and told without its inside', async () => {
    server.tracing.probes = () => {
      throw new Error('the secret inside');
    };
    const answer = await get('/api/v1/probes');
    expect(answer).toMatchObject({ status: 500, body: { error: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
    expect(server.logged.join()).toContain('the secret inside');
  });

  it('includes an answer that is not as documented', async () => {
    server.tracing.targetList = [{ id: 'host', kind: 'host', title: 'x', badge: 7 as unknown as string }];
    expect(await get('/api/v1/targets')).toMatchObject({ status: 500, body: { error: 'internal' } });
    expect(server.logged.join()).toContain('/api/v1/targets answers 200 as described: /0/badge must be string');
  });
});

describe('the page', () => {
  it('says how to build it when it was not built', async () => {
    const answer = await fetch(`${server.url}/`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain('pnpm build');
  });

  it('is served with its views; what is named by content may be kept', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-page-'));
    await mkdir(join(folder, 'assets'));
    await writeFile(join(folder, 'index.html'), '<!doctype html><title>the page</title>');
    await writeFile(join(folder, 'assets', 'main-abc123.js'), 'export {};');
    await using built = await startApp({ pageFolder: folder });
    const fetchPage = (path: string, accept = 'text/html') => fetch(`${built.url}${path}`, { headers: { accept } });
    for (const path of ['/', '/probes', '/probes/mmap-lock?window=30', '/index.html']) {
      const answer = await fetchPage(path);
      expect([path, answer.status, answer.headers.get('cache-control')]).toEqual([path, 200, 'no-cache']);
      expect(await answer.text()).toContain('the page');
    }
    const asset = await fetchPage('/assets/main-abc123.js');
    expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(asset.headers.get('content-type')).toMatch(/^(?:text|application)\/javascript/);
    for (const path of ['/missing.js', '/api/nothing', '/assets/../../etc/passwd.txt', '/..%2f..%2fetc%2fpasswd']) {
      expect((await fetchPage(path)).status).toBe(404);
    }
    expect((await fetchPage('/probes', 'application/json')).status).toBe(404);
    await rm(folder, { recursive: true });
  });
});
