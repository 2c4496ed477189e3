/** The fault path on 6.12 by a newer bpftrace, that of Debian 13: every script loads, counts exactly, and is told from an older one. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareSides } from '@faultline/shared';
import { faultPathProbes } from '../../src/lab/open-guest.ts';
import { openTempStore } from '../fakes/temp-store.ts';
import { recordedRun } from './lab-series.ts';
import { TracedGuest } from './traced-guest.ts';

const fetch = fileURLToPath(new URL('../../../tools/bpftrace-versions/fetch.sh', import.meta.url));
const barBytes = 8 * 1024 * 1024;

/** Version and command; downloads some 100 MB the first time, nothing later. */
async function bpftraceOf(suite: string): Promise<readonly [version: string, command: string]> {
  const { stdout } = await promisify(execFile)(fetch, [suite]);
  const [, version = '', command = ''] = stdout.trim().split(' ');
  return [version, command];
}

describe('bpftrace of Debian 13', () => {
  let guest: TracedGuest;
  let version: string;
  beforeAll(async () => {
    const [found, command] = await bpftraceOf('trixie');
    version = found;
    guest = await TracedGuest.start('6.12', faultPathProbes, barBytes, command);
  });
  afterAll(() => guest[Symbol.asyncDispose]());

  it('loads every script of the fault path', () => {
    expect(guest.open.refused).toEqual([]);
    expect(guest.runs.map(({ probe, state, bpftraceVersion }) => [probe, state, bpftraceVersion])).toEqual(
      faultPathProbes.split(',').map((probe) => [probe, 'running', version]),
    );
  });

  it('makes runs that are not comparable with those of the machine’s own bpftrace, and both versions are named', async () => {
    await using temp = await openTempStore({ clock: () => Date.now() });
    // Of the same size, though this one's BAR is larger: so large a BAR has a snapshot by now.
    await using own = await TracedGuest.start('6.12', faultPathProbes);
    const workload = { workload: 'touch', barBytes };
    const sides = [
      { title: 'own', runs: [await recordedRun(temp, own, 'own', workload)] },
      { title: 'newer', runs: [await recordedRun(temp, guest, 'newer', workload)] },
    ] as const;
    const ownVersion = own.runs[0]?.bpftraceVersion;
    expect(ownVersion).not.toBe(version);
    const [found] = compareSides(sides[0], [sides[1]]).candidates;
    expect(found?.verdict).toBe('not-comparable');
    expect(found?.gate.filter(({ level }) => level === 'blocking')).toEqual([
      { name: 'bpftrace', level: 'blocking', message: `bpftrace differs: ${ownVersion} against ${version}` },
    ]);
  });

  it('counts a touch, a MAP_DMA and an mmap of sysfs to the last page, and ends with nothing lost', async () => {
    const touch = await guest.count({ workload: 'touch', isMisaligned: true });
    expect(touch.truth['pagesTouched']).toBe(2048);
    expect(touch.sum('vfio-fault', 'attempts', { result: 'nopage', order: 'pte', lock: 'mmap-read' })).toBe(2048);
    expect(touch.sum('vfio-fault', 'pagesMapped', { device: '0000:01:00.0', place: 2 })).toBe(2048);
    expect(touch.sum('pfn-insert', 'inserts', { insert: 'vmf_insert_pfn', comm: 'vfio-load' })).toBe(2048);
    const dmaMap = await guest.count({ workload: 'dma-map' });
    expect(dmaMap.sum('vfio-fault', 'attempts', { result: 'nopage', order: 'pmd', origin: 'remote' })).toBe(4);
    expect(dmaMap.sum('dma-map', 'links', { link: 'vaddr_get_pfns' })).toBe(2048);
    expect(dmaMap.sum('dma-map', 'linkFailures', { link: 'follow' })).toBe(4);
    const sysfs = await guest.count({ workload: 'sysfs' });
    expect(sysfs.sum('pfn-remap', 'remaps', { context: 'mmap', lock: 'mmap-write' })).toBe(1);
    expect(sysfs.sum('lock-assert', 'checks', { kernel: 'holds', mine: 'holds' })).toBe(1);
    await Promise.all(guest.runs.map(({ id }) => guest.tracer.stopRun(id)));
    const { runs } = guest.session.summary();
    expect(runs.flatMap(({ run }) => [run.failure, ...run.findings]).filter((one) => one !== undefined)).toEqual([]);
  });
});
