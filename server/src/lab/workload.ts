/** Runs a workload program in a lab guest; what it prints, line by line, is the ground truth of what was traced. */
import { deviceBar, deviceBdf } from '@faultline/lab';
import { type LabWorkload, workloadLineCharsMax, workloadLinesMax, workloadMaxMs } from '@faultline/shared';
import { killForGood } from '../targets/kill.ts';
import type { Exit, Target } from '../targets/target.ts';

/** What the workload programs can do (lab/workload/README.md). */
export const workloads: readonly LabWorkload[] = [
  bar('touch', 'map the BAR and read every page of it'),
  bar('dma-map', 'VFIO_IOMMU_MAP_DMA of a BAR that was not touched: the path of the thread'),
  bar('dma-map-prefaulted', 'touch every page, then VFIO_IOMMU_MAP_DMA'),
  bar('zap', 'touch, switch memory decoding off and on, touch again'),
  bar('reset', 'touch, reset the device, touch again'),
  file('sysfs', 'mmap of the BAR through sysfs: remapped at mmap time, under the write lock'),
  file('devmem', 'mmap of the BAR through /dev/mem: remapped at mmap time, under the write lock'),
  {
    ...bar('contention', 'threads that map, touch and unmap the BAR beside threads with anonymous faults'),
    takesThreads: true,
  },
  edge('futex', 'FUTEX_WAKE_OP on a BAR that was not touched: its caller does not let the handler drop the lock'),
  { ...edge('race', 'the BAR and anonymous memory at one address in turn, while threads read it'), takesThreads: true },
  edge('split', 'touch, unmap the middle page, touch both halves again'),
  { ...edge('kill', 'SIGKILL for a process whose threads fault the BAR in beside writers'), takesThreads: true },
  edge('device-remap', 'the test device (6.1-device, 6.12-device): remap_pfn_range in its fault handler'),
  edge('device-insert', 'the test device: vmf_insert_pfn in its fault handler'),
  edge('device-map', 'the test device: remap_pfn_range at mmap time'),
];

/** Done by vfio-edge, the others by vfio-load. */
const edges = ['futex', 'race', 'split', 'kill', 'device-remap', 'device-insert', 'device-map'];

/** Maps the BAR through vfio, where we choose. */
function bar(name: string, title: string): LabWorkload {
  return { name, title, takesAlignment: true, takesThreads: false };
}

/** Maps it through a file, where the kernel chooses. */
function file(name: string, title: string): LabWorkload {
  return { name, title, takesAlignment: false, takesThreads: false };
}

/** What vfio-edge does: where it is mapped makes no difference. */
function edge(name: string, title: string): LabWorkload {
  return { name, title, takesAlignment: false, takesThreads: false };
}

/** How often, on how much, with how many threads. */
export type WorkloadRequest = {
  readonly workload: string;
  /** How much of the BAR. */
  readonly barBytes: number;
  readonly isMisaligned: boolean;
  readonly repetitions: number;
  readonly threads: number | undefined;
};

/** How it ended. `lost`: the guest is gone or never started it, which is the lab's failure. */
export type WorkloadEnd = {
  readonly kind: 'done' | 'failed' | 'lost';
  readonly lines: readonly string[];
  readonly exitStatus: number | undefined;
  readonly problem: string | undefined;
};

/** Runs one to its end, at most workloadMaxMs; every line is passed on as it comes. */
export async function runWorkload(
  target: Target,
  request: WorkloadRequest,
  onLine: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<WorkloadEnd> {
  const process = target.start({
    program: edges.includes(request.workload) ? 'vfio-edge' : 'vfio-load',
    args: wordsOf(request),
    env: {},
  });
  const lines: string[] = [];
  const take = (line: string): void => {
    if (line.trim() === '') return;
    if (lines.length < workloadLinesMax) lines.push(line);
    onLine(line);
  };
  const rest = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].setEncoding('utf8');
    process[name].on('data', (text: string) => {
      const parts = (rest[name] + text).split('\n');
      rest[name] = (parts.pop() ?? '').slice(-workloadLineCharsMax);
      for (const line of parts) take(line);
    });
  }
  let isLate = false;
  let kill: () => void = () => undefined;
  const killed = new Promise<Exit>((resolve) => {
    kill = () => resolve(killForGood(process, undefined));
  });
  const timer = setTimeout(() => {
    isLate = true;
    kill();
  }, workloadMaxMs);
  if (signal?.aborted === true) kill();
  signal?.addEventListener('abort', kill, { once: true });
  const exit = await Promise.race([process.exited, killed]);
  clearTimeout(timer);
  signal?.removeEventListener('abort', kill);
  for (const name of ['stdout', 'stderr'] as const) take(rest[name]);
  if (exit.problem !== undefined) return { kind: 'lost', lines, exitStatus: undefined, problem: exit.problem.message };
  if (isLate)
    return { kind: 'failed', lines, exitStatus: exit.code, problem: `it took longer than ${workloadMaxMs / 1000} s` };
  if (exit.code === 0) return { kind: 'done', lines, exitStatus: 0, problem: undefined };
  const how = exit.signal === undefined ? `ended with status ${exit.code}` : `was killed by ${exit.signal}`;
  return {
    kind: 'failed',
    lines,
    exitStatus: exit.code,
    problem: `${request.workload} ${how}: ${lines.at(-1) ?? 'it said nothing'}`,
  };
}

/** The words that vfio-load is started with. */
export function wordsOf(request: WorkloadRequest): readonly string[] {
  return [
    request.workload,
    ...['--device', deviceBdf, '--bar', String(deviceBar), '--size', String(request.barBytes)],
    ...['--count', String(request.repetitions), '--json'],
    ...(request.threads === undefined ? [] : ['--threads', String(request.threads)]),
    ...(request.isMisaligned ? ['--misaligned'] : []),
  ];
}
