/** The lab: how soon the first fault is counted, what a traced fault costs, a burst counted exactly, and the memory of a guest. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AgentProcess, bootGuest, deviceBar, deviceBdf, type Guest } from '../../lab/src/index.ts';
import { type BenchLine, median } from './bench-line.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mib = 1024 * 1024;
const bareScript = 'probes/vfio-fault/bench/bare.bt';
const ownScript = 'probes/vfio-fault/era-d-fentry.bt';

/** All of it on 6.12, whose order-0 faults are the many; `rounds` of each script in turn, in one guest. */
export async function benchLab(rounds: number): Promise<readonly BenchLine[]> {
  return [...firstFault(), ...(await costAndBurst(rounds))];
}

/** `faultline lab run`, from the command to the workload’s end: cold once, then from its snapshot. */
function firstFault(): readonly BenchLine[] {
  const words = ['lab', 'run', '6.1', '--workload', 'dma-map', '--bar', '8M', '--json'];
  const secondsOf = (extra: readonly string[]): number => {
    const text = execFileSync(join(root, 'bin/faultline'), [...words, ...extra], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const answer: unknown = JSON.parse(text);
    return typeof answer === 'object' && answer !== null && 'bootMs' in answer
      ? Number(answer.bootMs) / 1000
      : Number.NaN;
  };
  const cold = secondsOf(['--cold']);
  const restored = median([1, 2, 3, 4, 5].map(() => secondsOf([])));
  const line = (name: string, figure: number, boundSec: number): BenchLine => ({
    name,
    figure,
    unit: 's until five probes trace and the workload starts',
    bound: `≤ ${boundSec} s`,
    isWithinBound: figure <= boundSec,
  });
  return [line('6.1 cold, everything downloaded', cold, 40), line('6.1 from its snapshot', restored, 3)];
}

async function costAndBurst(rounds: number): Promise<readonly BenchLine[]> {
  const request = {
    kernel: '6.12',
    barBytes: 1024 * mib,
    bpftrace: 'bpftrace',
    heldKey: 'bench',
    start: 'cold',
  } as const;
  const booted = await bootGuest(request, () => undefined, undefined);
  if (!booted.ok) throw new Error(booted.error.message);
  await using machine = booted.value.machine;
  const costs = new Map<string, number[]>([bareScript, ownScript, ''].map((script) => [script, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [script, nsPerFault] of costs)
      nsPerFault.push((await faultsUnder(booted.value, script, 64 * mib, 3)).nsPerFault);
  }
  const ns = (script: string): number => median(costs.get(script) ?? []);
  const burst = await faultsUnder(booted.value, ownScript, 1024 * mib, 1);
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${machine.pid}/status`, 'utf8'))?.[1];
  return [
    {
      name: 'an order-0 fault under vfio-fault',
      figure: ns(ownScript),
      unit: `ns${booted.value.accelerator === 'tcg' ? ', emulated' : ''}`,
      ratio: ns(ownScript) / ns(bareScript),
      against: `a bare kprobe and kretprobe (${Math.round(ns(bareScript))} ns)`,
      bound: '≤ 1.5 ×',
      isWithinBound: ns(ownScript) / ns(bareScript) <= 1.5,
      note: `untraced ${Math.round(ns(''))} ns; reading every page of a misaligned BAR, by the workload’s own clock`,
    },
    {
      name: 'faults counted in one burst of 1 GiB by pages',
      figure: burst.counted,
      unit: `of ${burst.pages} made`,
      bound: 'exact',
      isWithinBound: burst.counted === burst.pages,
    },
    { name: 'QEMU with a guest of 512 MiB', figure: Number(rss) / 1024, unit: 'MiB resident' },
  ];
}

type Faults = { readonly nsPerFault: number; readonly pages: number; readonly counted: number };

async function faultsUnder(guest: Guest, script: string, bytes: number, count: number): Promise<Faults> {
  const { agent } = guest.machine;
  let printed = '';
  let tracer: AgentProcess | undefined;
  if (script !== '') {
    const path = `/run/scripts/bench-${basename(script)}`;
    await agent.writeFile(path, readFileSync(join(root, script)));
    tracer = agent.start({ program: 'bpftrace', args: ['-f', 'json', path], env: {} }, 'attached');
    tracer.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
    tracer.stderr.resume();
    while (!printed.includes('READY ')) await wait(50);
  }
  const words = [
    'touch',
    '--misaligned',
    '--device',
    deviceBdf,
    '--bar',
    String(deviceBar),
    '--size',
    String(bytes),
    '--count',
    String(count),
  ];
  const load = agent.start({ program: 'vfio-load', args: words, env: {} }, 'attached');
  let said = '';
  load.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  load.stderr.resume();
  await load.exited;
  if (tracer !== undefined) {
    tracer.signal(2);
    await tracer.exited;
  }
  const done = JSON.parse(said.trim().split('\n').at(-1) ?? '{}') as { elapsedNs: number; pagesTouched: number };
  return { nsPerFault: done.elapsedNs / done.pagesTouched, pages: done.pagesTouched, counted: faultsIn(printed) };
}

/** Attempts with result NOPAGE in the last printed map: what era-d-fentry.bt packs into the first number, its header says. */
function faultsIn(printed: string): number {
  const line = printed.split('\n').findLast((one) => one.includes('"@calls"'));
  if (line === undefined) return 0;
  const { data } = JSON.parse(line) as { data: { '@calls': Record<string, number> } };
  return Object.entries(data['@calls']).reduce(
    (sum, [key, value]) => sum + (((Number(key.split(',')[0]) >> 2) & 7) === 0 ? value : 0),
    0,
  );
}
