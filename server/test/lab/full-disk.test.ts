/** The lab's own disk gets full: said, nothing half-built left, nothing left running. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootGuest, cacheFolder } from '@faultline/lab';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runWorkload } from '../../src/lab/workload.ts';
import { GuestTarget } from '../../src/targets/guest.ts';
import { guestsOfThisProcess } from './guests-of-this-process.ts';
import { bootBare, kernelFolder } from './traced-guest.ts';

const isRoot = process.getuid?.() === 0;
const touch = {
  workload: 'touch',
  barBytes: 64 * 1024 * 1024,
  isMisaligned: false,
  repetitions: 1,
  threads: undefined,
};
/** What a guest needs besides snapshots; all but what a test wants to have built anew is taken from the lab's real folder. */
const kinds = ['apt', 'packages', 'unpacked', 'programs', 'tools', 'kernels', 'vmlinux', 'initramfs'];

let disk = '';
let before: string | undefined;

beforeEach(() => {
  disk = mkdtempSync(join(tmpdir(), 'faultline-full-'));
  before = process.env['FAULTLINE_CACHE'];
});

afterEach(() => {
  if (before === undefined) delete process.env['FAULTLINE_CACHE'];
  else process.env['FAULTLINE_CACHE'] = before;
  spawnSync('umount', [disk]);
  rmSync(disk, { recursive: true, force: true });
});

/** Makes a small disk the lab's folder, in which everything is there but the given kinds. */
function useDisk(size: string, without: readonly string[]): void {
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk], { encoding: 'utf8' });
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr}`);
  const real = cacheFolder();
  for (const kind of kinds.filter((one) => !without.includes(one))) {
    mkdirSync(join(real, kind), { recursive: true });
    symlinkSync(join(real, kind), join(disk, kind));
  }
  process.env['FAULTLINE_CACHE'] = disk;
}

/** Takes all room at once. */
function fill(): void {
  const piece = Buffer.alloc(8 * 1024 * 1024);
  try {
    for (;;) appendFileSync(join(disk, 'filling'), piece);
  } catch (cause) {
    if (!(cause instanceof Error && cause.message.startsWith('ENOSPC'))) throw cause;
  }
}

describe.runIf(isRoot)('a full disk under the lab', () => {
  it.each([
    ['vmlinux', '8m'],
    ['initramfs', '2m'],
    ['tools', '16m'],
  ])('is named when the %s does not fit, and nothing half-built stays', async (kind, size) => {
    const kernel = kernelFolder();
    useDisk(size, [kind]);
    const request = {
      kernel,
      barBytes: 64 * 1024 * 1024,
      bpftrace: 'bpftrace',
      heldKey: 'bare',
      start: 'cold',
    } as const;
    const booted = await bootGuest(request, () => undefined, undefined);
    expect(booted).toMatchObject({ ok: false, error: { kind: 'broken' } });
    if (booted.ok) return;
    expect(booted.error.message).toMatch(/is full|no space left on device/i);
    expect(booted.error.remedy).toContain('faultline lab clean');
    expect(readdirSync(join(disk, kind))).toEqual([]);
    expect(guestsOfThisProcess()).toEqual([]);
  });

  it('leaves a guest without a snapshot where there is no room for one, and the guest runs on', async () => {
    useDisk('300m', []);
    await using target = new GuestTarget('lab', await bootBare('6.1'));
    expect(await target.settle(() => undefined)).toContain('no room for a snapshot (640 MiB)');
    expect(readdirSync(join(disk, 'snapshots'))).toEqual([]);
    expect(await runWorkload(target, touch, () => undefined, undefined)).toMatchObject({ kind: 'done' });
  });

  it('lets a guest run on whose snapshot was being written when the disk got full', async () => {
    useDisk('700m', []);
    await using target = new GuestTarget('lab', await bootBare('6.1'));
    const snapshots = join(disk, 'snapshots');
    const timer = setInterval(() => {
      const [draft] = existsSync(snapshots) ? readdirSync(snapshots) : [];
      if (draft === undefined || !existsSync(join(snapshots, draft, 'memory'))) return;
      clearInterval(timer);
      fill();
    }, 1);
    const problem = await target.settle(() => undefined);
    clearInterval(timer);
    expect(problem).toMatch(/writing .*memory: .*ENOSPC/);
    expect(readdirSync(snapshots)).toEqual([]);
    expect(await runWorkload(target, touch, () => undefined, undefined)).toMatchObject({ kind: 'done' });
  });
});
