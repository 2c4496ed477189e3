/**
 * Records what a lab guest does under known workloads, as a session for the goldens of the exports:
 *
 *   node tools/load/capture-session.ts [KERNEL …]        default: 6.1 and 6.12
 *
 * Writes server/test/fixtures/sessions/KERNEL.tar.gz: `touch` and then `dma-map` of a BAR of 64 MiB, traced by the fault
 * path's streams and by those that print each call, with a mark before each workload and a note of what it said it did.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chooseStreams } from '../../server/src/cli/arguments.ts';
import { exportArchive } from '../../server/src/exports/archive.ts';
import { openGuest, type OpenGuest } from '../../server/src/lab/open-guest.ts';
import { runWorkload } from '../../server/src/lab/workload.ts';
import { readCatalogue } from '../../server/src/probes/catalogue.ts';
import { openExportSource } from '../../server/src/sessions/export-source.ts';
import { Store } from '../../server/src/sessions/store.ts';
import { Tracer } from '../../server/src/sessions/tracer.ts';
import { formatBytes } from '../../shared/src/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(root, 'server/test/fixtures/sessions');
const barBytes = 64 * 1024 * 1024;
const probes = 'vfio-fault:faults,vfio-fault:detail,pfn-remap,pfn-insert,dma-map:path,dma-map:maps,lock-assert';

const catalogue = await readCatalogue(join(root, 'probes'));
if (!catalogue.ok) throw new Error(catalogue.error.message);

for (const kernel of process.argv.length > 2 ? process.argv.slice(2) : ['6.1', '6.12']) {
  // The first time the streams are attached for seconds, in which nothing happens; a snapshot has them attached.
  const isSlow = await capture(kernel);
  if (isSlow) await capture(kernel);
}

/** Records one session; whether the guest had to be booted. */
async function capture(kernel: string): Promise<boolean> {
  const storeFolder = mkdtempSync(join(tmpdir(), 'faultline-capture-'));
  const opened = await Store.open({
    folder: storeFolder,
    role: 'single',
    limits: { bytesMax: 1e9, ageMaxMs: 1e9, sessionBytesMax: 1e9, sessionAgeMaxMs: 1e9 },
    faultline: '0.1.0',
    label: `lab ${kernel}`,
    clock: () => Date.now(),
    report: say,
  });
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const tracer = new Tracer({
    targets: [],
    probes: catalogue.ok ? catalogue.value : [],
    clock: () => Date.now(),
    record: (session, those) => store.record(session, those),
  });
  try {
    const runs = chooseStreams({ targetId: '', probes, parameters: [] }, tracer.probes());
    if (!runs.ok) throw new Error(runs.error.message);
    const request = { kernel, barBytes, bpftrace: 'bpftrace', targetId: `lab-${kernel}`, start: 'fastest' } as const;
    const guest = await openGuest(
      tracer,
      catalogue.ok ? catalogue.value : [],
      { ...request, runs: runs.value },
      ({ stage }) => say(stage),
      undefined,
    );
    if (!guest.ok) throw new Error(guest.error.message);
    const marks = await work(guest.value);
    for (const run of tracer.runs()) {
      const stopped = await tracer.stopRun(run.id);
      if (!stopped.ok || stopped.value.findings.some(({ level }) => level === 'lossy'))
        throw new Error(`${run.probe} ${run.stream} is not whole: ${JSON.stringify(stopped)}`);
    }
    await tracer[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const edited = store.library.edit('last', () => marks);
    const found = store.library.findReadable('last');
    if (!edited.ok || !found.ok) throw new Error('what was recorded can be read');
    const bytes = Buffer.concat(await Array.fromAsync(exportArchive(openExportSource(found.value))));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${kernel}.tar.gz`), bytes);
    say(`${kernel}: ${found.value.id}, ${formatBytes(bytes.length)}`);
    return !guest.value.wasRestored;
  } finally {
    await tracer[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    rmSync(storeFolder, { recursive: true, force: true });
  }
}

type Said = { atMs: number; text: string };

/** Runs the workloads; when each began, and what it printed last. */
async function work({ target }: OpenGuest): Promise<{ readonly marks: Said[]; readonly notes: Said[] }> {
  const [marks, notes]: [Said[], Said[]] = [[], []];
  for (const workload of ['touch', 'dma-map']) {
    await wait(500);
    marks.push({ atMs: Date.now(), text: workload });
    const request = { workload, barBytes, isMisaligned: false, repetitions: 1, threads: undefined };
    const end = await runWorkload(target, request, () => undefined, undefined);
    if (end.kind !== 'done') throw new Error(`${workload}: ${end.problem ?? end.kind}`);
    notes.push({ atMs: Date.now(), text: `${workload}: ${end.lines.at(-1) ?? ''}` });
  }
  await wait(500);
  return { marks, notes };
}

function say(message: string): void {
  process.stderr.write(`${message}\n`);
}
