/**
 * Captures what bpftrace prints in lab guests for known workloads, as samples of the fault-path probes:
 *
 *   node tools/load/capture-guest.ts [KERNEL …] [PROBE/SCRIPT.bt …]        default: all below, all scripts
 *
 * Writes probes/PROBE/sample.STREAM[.WORD].linux-KERNEL.VERSION.jsonl, the untouched stdout of `bpftrace -f json`, and its
 * .meta.json with what the workloads said they did. Without a word the variant is the one the planner would take there; `kprobe` is
 * what it would take where fentry cannot be had, the other words are variants for kernels that are not at hand.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AgentProcess, bootGuest, deviceBar, deviceBdf, type Guest } from '../../lab/src/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Streams that print a line a call. */
const callStreams: ReadonlySet<string> = new Set(['detail', 'maps']);

/** PID, threshold and one-in of a detail stream: each call, of all processes. */
const everyCall = [0, 0, 1] as const;

/** Which script of which probe fits which kernel, and the workloads of all. */
const scripts: Readonly<
  Record<
    string,
    readonly (readonly [
      probe: string,
      stream: string,
      variant: string,
      script: string,
      parameters?: readonly number[],
    ])[]
  >
> = {
  '6.1': [
    ['vfio-fault', 'faults', 'era-a-fentry', 'era-a-fentry.bt'],
    ['vfio-fault', 'faults.kprobe', 'era-a-kprobe', 'era-a.bt'],
    ['vfio-fault', 'detail', 'era-a-kprobe', 'detail-era-a.bt', everyCall],
    ['pfn-remap', 'calls', 'era-abc-fentry', 'era-abc-fentry.bt'],
    ['pfn-remap', 'calls.kprobe', 'era-abc-kprobe', 'era-abc.bt'],
    ['pfn-insert', 'inserts', 'era-abc-fentry', 'era-abc-fentry.bt'],
    ['pfn-insert', 'inserts.kprobe', 'era-abc-kprobe', 'era-abc.bt'],
    ['dma-map', 'path', 'follow-pte-fentry', 'path-follow-pte-fentry.bt'],
    ['dma-map', 'path.kprobe', 'follow-pte-kprobe', 'path-follow-pte.bt'],
    ['dma-map', 'maps', 'follow-pte-kprobe', 'maps-follow-pte.bt'],
    ['lock-assert', 'checks', 'warns-kprobe', 'remap-and-warns.bt'],
  ],
  '6.12': [
    ['vfio-fault', 'faults', 'era-d-fentry', 'era-d-fentry.bt'],
    ['vfio-fault', 'faults.kprobe', 'era-d-kprobe', 'era-d.bt'],
    ['vfio-fault', 'faults.drivers', 'era-d-drivers-kprobe', 'era-d-drivers.bt'],
    ['vfio-fault', 'faults.page-fault', 'era-d-page-fault-kprobe', 'era-d-page-fault.bt'],
    ['vfio-fault', 'detail', 'era-d-kprobe', 'detail-era-d.bt', everyCall],
    ['pfn-remap', 'calls', 'era-d-fentry', 'era-d-fentry.bt'],
    ['pfn-remap', 'calls.kprobe', 'era-d-kprobe', 'era-d.bt'],
    ['pfn-insert', 'inserts', 'era-d-fentry', 'era-d-fentry.bt'],
    ['pfn-insert', 'inserts.kprobe', 'era-d-kprobe', 'era-d.bt'],
    ['dma-map', 'path', 'follow-pfnmap-fentry', 'path-follow-pfnmap-fentry.bt'],
    ['dma-map', 'path.kprobe', 'follow-pfnmap-kprobe', 'path-follow-pfnmap.bt'],
    ['dma-map', 'maps', 'follow-pfnmap-kprobe', 'maps-follow-pfnmap.bt'],
    ['lock-assert', 'checks', 'warns-kprobe', 'remap-and-warns.bt'],
    ['fault-contract', 'contract', 'fentry', 'contract.bt'],
  ],
  '6.1-rt': [['lock-assert', 'checks', 'rt-kprobe', 'remap-rt.bt']],
  // A handler that breaks its contract: vfio-pci-core with v1d.cocci.
  '6.1-v1d': [['fault-contract', 'contract', 'fentry', 'contract.bt']],
  // The fault handler of era B: vfio-pci-core with b.cocci.
  '6.1-b': [
    ['vfio-fault', 'faults.bc', 'era-bc-fentry', 'era-bc-fentry.bt'],
    ['vfio-fault', 'faults.bc-kprobe', 'era-bc-kprobe', 'era-bc.bt'],
    ['vfio-fault', 'detail.bc', 'era-bc-kprobe', 'detail-era-bc.bt', everyCall],
  ],
  // No fault handler: vfio-pci-core with v4.cocci.
  '6.1-v4': [
    ['vfio-fault', 'faults.no-handler', 'no-handler-kprobe', 'no-handler.bt'],
    ['pfn-insert', 'inserts.no-handler', 'no-handler-kprobe', 'no-handler.bt'],
  ],
  sid: [
    ['vfio-fault', 'faults', 'era-d-fentry', 'era-d-fentry.bt'],
    ['pfn-insert', 'inserts', 'era-d-helper-fentry', 'era-d-helper-fentry.bt'],
    ['pfn-insert', 'inserts.kprobe', 'era-d-helper-kprobe', 'era-d-helper.bt'],
    ['dma-map', 'path', 'follow-pfnmap-fentry', 'path-follow-pfnmap-fentry.bt'],
    ['lock-assert', 'checks', 'successor-kprobe', 'remap-and-successor.bt'],
    // Last: an mmap of a perf buffer, as another bpftrace makes that begins, is a remap too.
    ['pfn-remap', 'calls', 'era-d-successor-fentry', 'era-d-successor-fentry.bt'],
  ],
};
const workloads = [
  ['vfio-load', 'touch', '--count', '3'],
  ['vfio-load', 'touch', '--misaligned'],
  ['vfio-load', 'dma-map'],
  ['vfio-load', 'zap'],
  ['vfio-load', 'sysfs'],
  ['vfio-load', 'devmem'],
] as const;
/** Those of the contract of fault handlers, which every mapping of a device concerns. */
const edgeWorkloads = [
  ['vfio-load', 'touch', '--count', '3'],
  ['vfio-load', 'dma-map'],
  ['vfio-load', 'zap'],
  ['vfio-edge', 'split'],
  ['vfio-edge', 'futex', '--count', '4'],
] as const;
type Workloads = readonly (readonly [program: 'vfio-load' | 'vfio-edge', ...words: string[]])[];
const barBytes = 8 * 1024 * 1024;
/** A guest has memory for six bpftraces, not for eight. */
const tracersMax = 6;

type Tracer = { readonly process: AgentProcess; text: string; hasEnded: boolean };

const words = process.argv.slice(2);
const onlyScripts = words.filter((word) => word.endsWith('.bt'));
const kernels = words.filter((word) => !word.endsWith('.bt'));

for (const kernel of kernels.length > 0 ? kernels : Object.keys(scripts)) {
  const all = (scripts[kernel] ?? []).filter(
    ([probe, , , script]) => onlyScripts.length === 0 || onlyScripts.includes(`${probe}/${script}`),
  );
  // Without a handler the touch after a zap is SIGBUS.
  const peaceful = kernel === '6.1-v4' ? workloads.filter(([, mode]) => mode !== 'zap') : workloads;
  const contract = all.filter(([probe]) => probe === 'fault-contract');
  await capture(kernel, contract, edgeWorkloads);
  for (const isOfCalls of [false, true]) {
    const chosen = all.filter((one) => callStreams.has(one[1]) === isOfCalls && !contract.includes(one));
    for (let at = 0; at < chosen.length; at += tracersMax)
      await capture(kernel, chosen.slice(at, at + tracersMax), peaceful);
  }
}

async function capture(kernel: string, chosen: (typeof scripts)[string], workloads: Workloads): Promise<void> {
  if (chosen.length === 0) return;
  const request = { kernel, barBytes, bpftrace: 'bpftrace', heldKey: 'capture', start: 'cold' } as const;
  const guest = await bootGuest(request, ({ stage }) => console.error(stage), undefined);
  if (!guest.ok) throw new Error(guest.error.message);
  await using machine = guest.value.machine;
  const tracers: Tracer[] = [];
  for (const [probe, , , script, parameters = []] of chosen) {
    tracers.push(await trace(guest.value, join(root, 'probes', probe, script), parameters));
  }
  while (!tracers.every((tracer) => tracer.text.includes('READY '))) {
    if (tracers.some((tracer) => tracer.hasEnded)) throw new Error('a bpftrace ended before it had attached');
    await wait(100);
  }
  // One heartbeat, so that every script judges unpaired returns.
  await wait(500);
  const truth: string[] = [];
  for (const [program, ...words] of workloads) {
    const args = [...words, '--device', deviceBdf, '--bar', String(deviceBar), '--size', String(barBytes), '--json'];
    const text = await output(machine.agent.start({ program, args, env: {} }, 'attached'));
    truth.push(text.trim().split('\n').at(-1) ?? '');
  }
  await wait(500);
  for (const { process } of tracers) process.signal(2);
  for (const { process } of tracers) await process.exited;
  const release = (await output(machine.agent.start({ program: 'uname', args: ['-r'], env: {} }, 'attached'))).trim();
  const version = await output(machine.agent.start({ program: 'bpftrace', args: ['--version'], env: {} }, 'attached'));
  const bpftrace = /(\d+\.\d+\.\d+)/.exec(version)?.[1] ?? 'unknown';
  for (const [at, [probe, stream, variant, script, parameters = []]] of chosen.entries()) {
    const series = `${/^\d+\.\d+/.exec(release)?.[0] ?? kernel}${release.includes('-rt') ? '-rt' : ''}`;
    const file = join(root, 'probes', probe, `sample.${stream}.linux-${series}.${bpftrace}`);
    await writeFile(`${file}.jsonl`, tracers[at]?.text ?? '');
    const meta = {
      stream: stream.split('.')[0],
      variant,
      script,
      bpftrace,
      kernel: release,
      machine: 'x86_64',
      cpuCount: 2,
      isEmulated: guest.value.accelerator === 'tcg',
      capturedOn: new Date().toISOString().slice(0, 10),
      parameters,
      workload: `${kernel}, a BAR of 8 MiB: ${workloads.map((words) => words.join(' ')).join(', ')}`,
      truth: truth.map((line): unknown => JSON.parse(line)),
    };
    await writeFile(`${file}.meta.json`, `${JSON.stringify(meta, undefined, 2)}\n`);
    console.log(`${basename(file)}.jsonl`);
  }
}

async function trace(guest: Guest, script: string, parameters: readonly number[]): Promise<Tracer> {
  const { agent } = guest.machine;
  const path = `/run/scripts/${basename(join(script, '..'))}-${basename(script)}`;
  const placed = await agent.writeFile(path, await readFile(script));
  if (!placed.ok) throw new Error(`${script} could not be placed in the guest`);
  // Larger buffers than a session has: the sample of each call is to be whole.
  const environment = { BPFTRACE_MAP_KEYS_MAX: '16384', BPFTRACE_PERF_RB_PAGES: '1024' };
  const args = ['-f', 'json', path, ...parameters.map(String)];
  const process = agent.start({ program: 'bpftrace', args, env: environment }, 'attached');
  const tracer: Tracer = { process, text: '', hasEnded: false };
  void process.exited.then(() => {
    tracer.hasEnded = true;
  });
  process.stdout.on('data', (chunk: Buffer) => {
    tracer.text += chunk.toString();
  });
  process.stderr.on('data', (chunk: Buffer) => console.error(chunk.toString().trim()));
  return tracer;
}

async function output(process: AgentProcess): Promise<string> {
  let text = '';
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
  }
  await process.exited;
  return text;
}
