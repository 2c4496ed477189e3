/** What tracing costs the traced program: our scripts and bare hand-written ones in turn, on the mincore generator. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchLine, median } from './bench-line.ts';
import { buildLoad } from './load.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const calls = 1_000_000;

/** A script to pay for; no script: the program alone. */
type Candidate = { readonly name: string; readonly script?: string };

const candidates: readonly Candidate[] = [
  { name: 'untraced' },
  { name: 'bare counts', script: 'probes/mmap-lock/bench/bare-counts.bt' },
  { name: 'counts', script: 'probes/mmap-lock/counts.bt' },
  { name: 'bare latency', script: 'probes/mmap-lock/bench/bare-latency.bt' },
  { name: 'latency', script: 'probes/mmap-lock/latency.bt' },
];

/** CPU ns of one mincore under each candidate, and bpftrace's own CPU for a million of them; `rounds` in turn. */
export async function benchTracedProgram(rounds: number): Promise<readonly BenchLine[]> {
  const load = buildLoad();
  const cpuNs = new Map<string, number[]>(candidates.map((one) => [one.name, []]));
  const bpftraceMs = new Map<string, number[]>(candidates.map((one) => [one.name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const candidate of candidates) {
      const measured = await measure(load, candidate);
      cpuNs.get(candidate.name)?.push(measured.cpuNsPerCall);
      bpftraceMs.get(candidate.name)?.push(measured.bpftraceCpuMs);
    }
  }
  const ns = (name: string): number => median(cpuNs.get(name) ?? []);
  const cpuMs = (name: string): number => median(bpftraceMs.get(name) ?? []);
  const line = (name: string, bare: string, boundRatio: number): BenchLine => ({
    name: `mincore under mmap-lock ${name}`,
    figure: ns(name),
    unit: 'ns CPU a call',
    ratio: ns(name) / ns(bare),
    against: `${bare} (${Math.round(ns(bare))} ns), the same answer written by hand`,
    bound: `≤ ${boundRatio} ×`,
    isWithinBound: ns(name) / ns(bare) <= boundRatio,
    note: `untraced ${Math.round(ns('untraced'))} ns; bpftrace itself used ${Math.round(cpuMs(name))} ms CPU (bare ${Math.round(cpuMs(bare))} ms)`,
  });
  return [line('counts', 'bare counts', 1.2), line('latency', 'bare latency', 1.1)];
}

async function measure(load: string, candidate: Candidate): Promise<{ cpuNsPerCall: number; bpftraceCpuMs: number }> {
  const tracer = candidate.script === undefined ? undefined : await startTracer(join(root, candidate.script));
  const beforeMs = tracer === undefined ? 0 : cpuMsOf(tracer);
  const truth: unknown = JSON.parse(execFileSync(load, ['mincore', '--count', String(calls)], { encoding: 'utf8' }));
  const bpftraceCpuMs = tracer === undefined ? 0 : cpuMsOf(tracer) - beforeMs;
  if (tracer !== undefined) await stopTracer(tracer);
  const cpuNsPerCall =
    typeof truth === 'object' && truth !== null && 'cpuNsPerCall' in truth ? Number(truth.cpuNsPerCall) : Number.NaN;
  return { cpuNsPerCall, bpftraceCpuMs };
}

async function startTracer(script: string): Promise<ChildProcess> {
  const tracer = spawn('bpftrace', ['-f', 'json', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  await new Promise<void>((resolve, reject) => {
    tracer.once('exit', (code) => reject(new Error(`bpftrace ${script} ended with ${code}`)));
    tracer.stdout.on('data', (chunk: Buffer) => {
      // A bare script says nothing when it is attached: it gets a second, far more than 0.3 s as measured.
      if (chunk.includes('attached_probes')) setTimeout(resolve, 1000);
    });
  });
  return tracer;
}

async function stopTracer(tracer: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => tracer.once('exit', resolve));
  tracer.kill('SIGINT');
  const repeat = setInterval(() => tracer.kill('SIGINT'), 500);
  await exited;
  clearInterval(repeat);
}

/** User and system time of a process, ms (USER_HZ is 100). */
function cpuMsOf(process: ChildProcess): number {
  const stat = readFileSync(`/proc/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
