/** What can be wrong inside a guest is said of the stream that it concerns, and tracing goes on without it. */
import { ensure, type RunView } from '@faultline/shared';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCatalogue } from '../../src/probes/catalogue.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { GuestTarget } from '../../src/targets/guest.ts';
import type { Target } from '../../src/targets/target.ts';
import { until } from '../until.ts';
import { bootBare } from './traced-guest.ts';

let tracer: Tracer;
let guest: Awaited<ReturnType<typeof bootBare>>;

beforeAll(async () => {
  const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  tracer = new Tracer({ targets: [], probes: catalogue.value, clock: () => Date.now() });
  // Nothing is held in it for a snapshot: what is started runs at once.
  guest = { ...(await bootBare('6.1')), note: { noteVersion: 1, nextId: 0, held: [], files: {}, answers: {} } };
});
afterAll(async () => {
  await tracer[Symbol.asyncDispose]();
  await guest.machine[Symbol.asyncDispose]();
});

/** A target of the same guest that knows nothing yet. */
function addTarget(id: string, target = new GuestTarget(id, guest)): void {
  const added = tracer.addTarget(target);
  if (!added.ok) throw new Error(added.error.message);
}

/** Runs a busybox command in the guest to its end; throws when it fails. */
async function inGuest(...words: readonly string[]): Promise<void> {
  const process = guest.machine.agent.start({ program: '/bin/busybox', args: words, env: {} }, 'attached');
  let said = '';
  process.stdout.resume();
  process.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const exit = await process.exited;
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`${words.join(' ')}: ${said}`);
}

function ended(id: string): RunView {
  return ensure(
    tracer.runs().find((run) => run.id === id),
    'a run stays listed',
  );
}

/** Unloads vfio-pci after the planner has looked and before bpftrace attaches. */
class UnloadingTarget extends GuestTarget implements Target {
  override async placeScript(localPath: string): ReturnType<GuestTarget['placeScript']> {
    await inGuest('rmmod', 'vfio_pci');
    await inGuest('rmmod', 'vfio_pci_core');
    return super.placeScript(localPath);
  }
}

describe('in a guest of 6.1', () => {
  it('a kernel without BTF is refused every stream of the fault path, with the reason', async () => {
    // As a kernel built without CONFIG_DEBUG_INFO_BTF looks: the folder is there for nobody.
    await inGuest('mount', '-t', 'tmpfs', 'tmpfs', '/sys/kernel/btf');
    addTarget('no-btf');
    for (const probe of ['vfio-fault', 'pfn-remap', 'pfn-insert', 'dma-map', 'lock-assert']) {
      const started = await tracer.startRun({ targetId: 'no-btf', probe });
      expect(started).toMatchObject({ ok: false, error: { kind: 'no-variant' } });
      if (!started.ok) expect(started.error.message).toContain('this kernel has no BTF (/sys/kernel/btf/vmlinux)');
    }
    await inGuest('umount', '/sys/kernel/btf');
  });

  it('a full file system is named with what could not be written there', async () => {
    await inGuest('sh', '-c', 'dd if=/dev/zero of=/filling bs=1M 2>/dev/null; [ -s /filling ]');
    addTarget('full');
    const started = await tracer.startRun({ targetId: 'full', probe: 'vfio-fault' });
    const said = started.ok ? undefined : started.error;
    expect(said?.kind).toBe('target-problem');
    expect(said?.message).toMatch(
      /\/run\/scripts\/.*era-a-fentry\.bt cannot be written: the guest’s file system is full/,
    );
    await inGuest('rm', '/filling');
    // Half a script must not be taken for the script the next time.
    await inGuest('sh', '-c', '! ls /run/scripts/*-era-a-fentry.bt 2>/dev/null');
  });

  it('a function that is gone when bpftrace attaches fails its stream with its name; the guest lives', async () => {
    addTarget('unloading', new UnloadingTarget('unloading', guest));
    const started = await tracer.startRun({ targetId: 'unloading', probe: 'vfio-fault' });
    if (!started.ok) throw new Error(started.error.message);
    const { id } = started.value;
    await until(() => ended(id).state === 'failed', 120_000);
    expect(ended(id).failure).toMatchObject({ kind: 'function-missing' });
    expect(ended(id).failure?.message).toBe('vfio-fault faults: vfio_pci_mmap_fault cannot be traced on this kernel');
    await inGuest('true');
    // A target that was looked at a moment ago is not looked at again: on a fast machine the one before this was.
    addTarget('without');
    const again = await tracer.startRun({ targetId: 'without', probe: 'vfio-fault' });
    expect(again).toMatchObject({ ok: false, error: { kind: 'no-variant' } });
    if (!again.ok) expect(again.error.message).toContain('no module vfio_pci_core loaded');
  });
});
