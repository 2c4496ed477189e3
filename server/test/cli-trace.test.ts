/** The program itself, tracing for real: what `record`, the interface and the socket say of a load that counts for itself. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { FrameHeader, RecordSummary, RunView, Snapshot } from '@faultline/shared';
import { io } from 'socket.io-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { SessionSource } from '../src/sessions/tracing.ts';
import { FakeClient } from './fakes/fake-client.ts';
import { load } from './load.ts';
import { until } from './until.ts';

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const fakeBpftrace = fileURLToPath(new URL('fakes/fake-bpftrace.mjs', import.meta.url));

type Started = {
  readonly child: ChildProcess;
  readonly said: { out: string; err: string };
  readonly ended: Promise<number | null>;
};
let running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running = [];
});

function faultline(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  running.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.err += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, said, ended };
}

/** Processes whose parent is this one, by what /proc says. */
async function childrenOf(parent: number | undefined): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function acquisitionsOf(summary: RecordSummary, comm: string): number {
  return summary.runs
    .flatMap(({ totals }) => totals)
    .filter(({ metric, dims }) => metric === 'acquisitions' && dims['comm'] === comm)
    .reduce((sum, { value }) => sum + value, 0);
}

describe('faultline record', () => {
  it('says exactly N for N acquisitions at full speed, with status 0', async () => {
    const { said, ended } = faultline(['record', '--probes', 'mmap-lock', '--for', '60s', '--json']);
    const recording = running[0];
    await until(() => said.err.includes('recording'));
    await load('mincore', '--count', '300000', '--name', 'cli-mincore');
    recording?.kill('SIGINT');
    expect(await ended).toBe(0);
    const summary = JSON.parse(said.out) as RecordSummary;
    expect(acquisitionsOf(summary, 'cli-mincore')).toBe(300_000);
    expect(summary).toMatchObject({ isComplete: true, target: { id: 'host', kind: 'host' } });
  });

  it('prints a table that fits 100 columns', async () => {
    const { said, ended } = faultline(['record', '--for', '1s']);
    // A machine may be so quiet that nothing takes the lock in a second: each process that is started does.
    const somethingHappens = setInterval(() => spawn('true', { stdio: 'ignore' }), 50);
    expect(await ended).toBe(0);
    clearInterval(somethingHappens);
    expect(said.out).toMatch(/^mmap-lock:latency · tracepoint · \d+\.\d s traced · stopped$/m);
    expect(said.out).toMatch(/^ {2}distribution +of +count +p50 +p90 +p99 +p99.9 +max$/m);
    expect(said.out).toMatch(/\nComplete: nothing was lost, dropped or malformed\.\n$/);
    for (const line of said.out.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });
});

type Live = { readonly url: string; readonly client: FakeClient; readonly close: () => void };

async function watch(url: string): Promise<Live> {
  const runs = (await (await fetch(`${url}/api/v1/runs`)).json()) as RunView[];
  const probes = (await (await fetch(`${url}/api/v1/probes`)).json()) as {
    name: string;
    streams: { name: string; columns: { type: ReturnType<SessionSource['callTypes']>[number] }[] }[];
  }[];
  const typesOf = (index: number) => {
    const run = runs.find((one) => one.index === index);
    const streams = probes.find(({ name }) => name === run?.probe)?.streams;
    return streams?.find(({ name }) => name === run?.stream)?.columns.map(({ type }) => type) ?? [];
  };
  const client = new FakeClient(typesOf);
  const socket = io(url, { transports: ['websocket'], reconnection: false });
  socket.on('snapshot', (snapshot: Snapshot, received: () => void) => client.sendSnapshot(snapshot, received));
  socket.on('frame', (header: FrameHeader, bytes: Buffer, received: () => void) => {
    client.sendFrame(header, bytes, received);
    client.acknowledge();
  });
  await until(() => client.acknowledge());
  return { url, client, close: () => void socket.disconnect() };
}

function acquisitionsSeen({ runs }: FakeClient, comm: string): number {
  let sum = 0;
  for (const { cells, totals } of runs.values()) {
    for (const { cell, metric, dims } of cells)
      if (metric === 'acquisitions' && dims['comm'] === comm) sum += totals[cell] ?? 0;
  }
  return sum;
}

async function serving(): Promise<Started & { readonly url: string }> {
  const started = faultline(['serve', '--port', '0']);
  await until(() => started.said.err.includes('mmap-lock:latency running'), 30_000);
  const url = /http:\S+(?=\/\n)/.exec(started.said.out)?.[0] ?? '';
  return { ...started, url };
}

describe('faultline serve', () => {
  it('says exactly N to those who watch, to those who come later, and to those who ask', async () => {
    const { child, url, ended } = await serving();
    const early = await watch(url);
    const loading = load('mincore', '--count', '200000', '--name', 'cli-served');
    const onTheWay = await watch(url);
    await loading;
    for (const { client } of [early, onTheWay]) {
      await until(() => acquisitionsSeen(client, 'cli-served') >= 200_000);
      expect(acquisitionsSeen(client, 'cli-served')).toBe(200_000);
    }
    const late = await watch(url);
    expect(acquisitionsSeen(late.client, 'cli-served')).toBe(200_000);
    const sessions = (await (await fetch(`${url}/api/v1/sessions`)).json()) as { id: string; runs: RunView[] }[];
    const session = sessions.find(({ runs }) => runs.length > 0);
    const summary = (await (await fetch(`${url}/api/v1/sessions/${session?.id}/summary`)).json()) as RecordSummary;
    expect(acquisitionsOf(summary, 'cli-served')).toBe(200_000);
    for (const { close } of [early, onTheWay, late]) close();
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  it('shows a killed bpftrace as a failed run, and the rest lives', async () => {
    const { child, url, said, ended } = await serving();
    const { client, close } = await watch(url);
    const run = client.snapshot?.session.runs.find(({ stream }) => stream === 'latency');
    process.kill(run?.bpftracePid ?? 0, 'SIGKILL');
    const told = () => client.session?.runs.find(({ id }) => id === run?.id);
    await until(() => told()?.state === 'failed');
    expect(told()?.failure).toMatchObject({ kind: 'killed' });
    await until(() => said.err.includes('FAILED: mmap-lock latency'));
    const { seq } = client;
    await until(() => client.seq > seq + 3);
    close();
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('leaves no bpftrace behind on Ctrl-C', async () => {
    const { child, ended, said } = await serving();
    const before = await childrenOf(child.pid);
    expect(before.length).toBeGreaterThan(0);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(before.filter((pid) => isAlive(pid))).toEqual([]);
    expect(said.err).toContain('mmap-lock:latency stopped');
  });
});

describe('a second signal', () => {
  const stubborn = { FAKE_BPFTRACE: 'ignores-sigint' };
  const words = ['record', '--probes', 'mmap-lock', '--for', '60s', '--bpftrace', fakeBpftrace];

  it('ends at once what would take its time, and leaves nothing behind', async () => {
    const { child, ended, said } = faultline(words, stubborn);
    await until(() => said.err.includes('recording'));
    const children = await childrenOf(child.pid);
    child.kill('SIGINT');
    // Again and again: where the machine is so busy that both are heard at once they are the same one.
    const again = setInterval(() => child.kill('SIGINT'), 700);
    const status = await ended;
    clearInterval(again);
    expect(status).toBe(130);
    await until(() => !children.some((pid) => isAlive(pid)));
  });

  it('that follows at once is the same one, as npm passes it on', async () => {
    const { child, ended, said } = faultline(words, { FAKE_BPFTRACE: 'well' });
    await until(() => said.err.includes('recording'));
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect([0, 3]).toContain(await ended);
  });
});
