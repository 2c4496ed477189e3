import { type AddressInfo, createServer, type Server } from 'node:net';
import { err, type LabView, ok } from '@faultline/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ServeRequest, serve } from '../src/cli/serve.ts';
import type { Lab } from '../src/lab/lab-desk.ts';
import { fakeTarget } from './fakes/fake-session.ts';
import { FakeTracing } from './fakes/fake-tracing.ts';
import { type FakeTerminal, fakeTerminal } from './fakes/fake-terminal.ts';
import { until } from './until.ts';

const labView: Omit<LabView, 'kernels'> = { accelerator: 'kvm', workloads: [], machines: [], workloadRuns: [] };

let tracing: FakeTracing;
let terminal: FakeTerminal;
let stopping: AbortController;
let served: Promise<number> | undefined;

beforeEach(() => {
  tracing = new FakeTracing();
  terminal = fakeTerminal();
  stopping = new AbortController();
  served = undefined;
});

afterEach(async () => {
  stopping.abort();
  await served;
});

function start(differences: Partial<ServeRequest> = {}, lab?: Lab): Promise<number> {
  const request: ServeRequest = {
    port: 0,
    host: '127.0.0.1',
    token: undefined,
    allowedHosts: [],
    labKernels: [],
    matrixFile: undefined,
    start: 'host',
    ...differences,
  };
  served = serve(tracing, request, {
    terminal,
    logger: pino({ level: 'silent' }),
    version: '1.2.3',
    stopping: stopping.signal,
    pageFolder: '/nonexistent',
    ...(lab === undefined ? {} : { lab }),
  });
  return served;
}

async function printedUrl(): Promise<URL> {
  const printed = (): string | undefined => /http:\S+/.exec(terminal.printed.out)?.[0];
  await until(() => printed() !== undefined);
  return new URL(printed() ?? '');
}

function occupy(port = 0): Promise<{ readonly port: number; readonly server: Server }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, server }));
  });
}

describe('serve', () => {
  it('prints where it is, and starts what runs by default', async () => {
    void start();
    const url = await printedUrl();
    expect((await fetch(new URL('/api/v1/health', url))).status).toBe(200);
    await until(() => terminal.printed.err.includes('page-fault:counts running (tracepoint)'));
    expect(tracing.started).toEqual([
      { targetId: 'host', probe: 'mmap-lock', stream: 'counts' },
      { targetId: 'host', probe: 'page-fault', stream: 'counts' },
    ]);
    expect(terminal.printed.err).toContain('tracing this machine · testbox');
  });

  it('stops tracing first, then the server, and has status 0', async () => {
    const status = start();
    const url = await printedUrl();
    await until(() => tracing.started.length === 2);
    let wasServing = false;
    const dispose = tracing[Symbol.asyncDispose].bind(tracing);
    tracing[Symbol.asyncDispose] = async () => {
      wasServing = (await fetch(new URL('/api/v1/runs', url))).status === 200;
      const headers = { 'content-type': 'application/json' };
      const late = await fetch(new URL('/api/v1/runs', url), { method: 'POST', headers, body: '{}' });
      expect(late.status).toBe(503);
      await dispose();
    };
    stopping.abort();
    expect(await status).toBe(0);
    expect([wasServing, tracing.isDisposed]).toEqual([true, true]);
    expect(terminal.printed.err).toContain('mmap-lock:counts stopped');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('says on the terminal when a run fails', async () => {
    const failure = {
      kind: 'killed',
      message: 'mmap-lock counts: bpftrace was killed',
      remedy: 'Start it again.',
    } as const;
    tracing.afterStart = (run) => (run.index === 0 ? { state: 'failed', failure } : { state: 'running' });
    void start();
    await until(() =>
      terminal.printed.err.includes('  FAILED: mmap-lock counts: bpftrace was killed\n    → Start it again.'),
    );
    expect(terminal.printed.err).toContain('page-fault:counts running');
  });

  it('traces machines over ssh too, whatever becomes of this host', async () => {
    tracing.targetList = [fakeTarget, { ...fakeTarget, id: 'ssh:elsewhere', kind: 'ssh', title: 'elsewhere over ssh' }];
    const preflight = tracing.preflight.bind(tracing);
    tracing.preflight = async (targetId) =>
      targetId === 'host' ? ok({ targetId, canTrace: false, checks: [] }) : preflight(targetId);
    void start();
    await until(() => tracing.started.length === 2);
    expect(tracing.started.map(({ targetId }) => targetId)).toEqual(['ssh:elsewhere', 'ssh:elsewhere']);
    expect(terminal.printed.err).toContain("can't trace this machine");
    expect(terminal.printed.err).toContain('tracing elsewhere over ssh');
  });

  it('starts nothing when told so', async () => {
    void start({ start: 'nothing' });
    await printedUrl();
    stopping.abort();
    await served;
    expect(tracing.started).toEqual([]);
  });

  it('plays the recorded sample when told so, and says where there is none', async () => {
    tracing.targetList = [
      fakeTarget,
      { ...fakeTarget, id: 'replay', kind: 'replay', badge: 'replay of bpftrace 0.17' },
    ];
    tracing.preflightAnswer = ok({ targetId: 'replay', canTrace: true, checks: [] });
    void start({ start: 'replay' });
    await until(() => tracing.started.length === 2);
    expect(tracing.started[0]).toMatchObject({ targetId: 'replay' });
    expect(terminal.printed.err).toContain('replay of bpftrace 0.17');
    stopping.abort();
    await served;
    tracing = new FakeTracing();
    terminal = fakeTerminal();
    stopping = new AbortController();
    void start({ start: 'replay' });
    await until(() => terminal.printed.err.includes('there is no replay target here'));
    expect(tracing.started).toEqual([]);
  });

  it('serves all the same where the host cannot be traced, and says why and what to do', async () => {
    tracing.preflightAnswer = ok({
      targetId: 'host',
      canTrace: false,
      checks: [
        {
          name: 'root',
          title: 'Permission',
          status: 'failed',
          found: 'user 1000',
          remedy: 'Be root.',
          command: 'sudo npm start',
        },
        { name: 'btf', title: 'BTF', status: 'ok', found: 'there' },
      ],
    });
    void start();
    await until(() => terminal.printed.err.includes('--replay'));
    expect(terminal.printed.err).toContain('  Permission: user 1000\n    → Be root.\n    $ sudo npm start\n');
    expect(terminal.printed.err).not.toContain('BTF');
    expect(tracing.started).toEqual([]);
    expect((await fetch(new URL('/api/v1/health', await printedUrl()))).status).toBe(200);
  });

  it('goes on where one stream is refused', async () => {
    tracing.refusals = [{ kind: 'no-variant', message: 'nothing fits', remedy: 'Boot another kernel.' }];
    void start();
    await until(() => terminal.printed.err.includes('page-fault:counts running'));
    expect(terminal.printed.err).toContain('mmap-lock:counts not started: nothing fits\n    → Boot another kernel.');
  });

  it('says why when the host cannot be asked at all', async () => {
    tracing.preflightAnswer = err({ kind: 'target-problem', message: 'no answer', remedy: 'Wake it.' });
    void start();
    await until(() => terminal.printed.err.includes('--replay'));
    expect(terminal.printed.err).toContain('no answer: Wake it.');
  });
});

describe('what is named and not there', () => {
  it('ends it with status 2 before anything is begun, where it is a kernel of the lab', async () => {
    let boots = 0;
    const refuse = (): never => {
      boots += 1;
      throw new Error('nothing is booted here');
    };
    const lab: Lab = {
      view: () => Promise.resolve(ok({ ...labView, kernels: [{ name: '6.1', title: 'Linux 6.1', isCached: true }] })),
      boot: refuse,
      stop: refuse,
      runWorkload: refuse,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    expect(await start({ labKernels: ['6.1', '6.l2'] }, lab)).toBe(2);
    expect(terminal.printed).toEqual({ out: '', err: 'faultline: the lab has no kernel "6.l2"\n  It has: 6.1.\n' });
    expect([boots, tracing.started]).toEqual([0, []]);
  });

  it('is said where it is the file of the matrix', async () => {
    void start({ matrixFile: '/nonexistent/m.toml' });
    await printedUrl();
    await until(() => tracing.started.length === 2);
    expect(terminal.printed.err).toContain('faultline: there is no file /nonexistent/m.toml for --matrix\n');
  });
});

describe('the port', () => {
  it('that was asked for and is busy ends it with status 1, naming who has it', async () => {
    const { port, server } = await occupy();
    expect(await start({ port })).toBe(1);
    expect(terminal.printed.err).toContain(`faultline: port ${port} is in use by `);
    expect(terminal.printed.err).toContain(`(pid ${process.pid})`);
    expect(terminal.printed.err).toContain('choose another port with --port');
    expect(tracing.started).toEqual([]);
    server.close();
  });

  it('is the next free one when none was asked for', async () => {
    const busy = await occupy(7766).catch(() => undefined);
    void start({ port: undefined });
    const port = Number((await printedUrl()).port);
    expect(port).toBeGreaterThan(7766);
    expect(port).toBeLessThan(7786);
    busy?.server.close();
  });
});

describe('beyond loopback', () => {
  it('there is a token: made here and printed in the fragment', async () => {
    void start({ host: '0.0.0.0' });
    const url = await printedUrl();
    const token = new URLSearchParams(url.hash.slice(1)).get('token') ?? '';
    expect([url.hostname, token.length]).toEqual(['127.0.0.1', 32]);
    const runs = new URL('/api/v1/runs', url);
    expect((await fetch(runs)).status).toBe(401);
    expect((await fetch(runs, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    for (const line of terminal.printed.out.trim().split('\n')) expect(line).toContain(`#token=${token}`);
  });

  it('the token may be given, also on loopback', async () => {
    void start({ token: 'open & sesame' });
    expect((await printedUrl()).hash).toBe('#token=open%20%26%20sesame');
  });

  it('an address that is not ours is refused with the cure', async () => {
    expect(await start({ host: '203.0.113.9' })).toBe(1);
    expect(terminal.printed.err).toContain('203.0.113.9 is no address of this machine');
  });
});
