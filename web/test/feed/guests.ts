/** The guests that the feed plays, and what is in them. */
import type { TargetIdentity, TargetView, VfioDevice } from '@faultline/shared';
import { barAddress, barBytes, deviceBdf } from './fault-path-load.ts';

const emulatedBadge = 'emulated: counts and ratios carry over, latencies do not';

/** A guest of the lab that runs a kernel. */
export function guestTarget(id: string, release: string, like: TargetIdentity): TargetView {
  const identity = {
    ...like,
    hostname: id,
    release,
    cpuCount: 2,
    memoryBytes: 512 * 2 ** 20,
    isEmulated: true,
    // It was booted later than its host: the same instant is another time of its kernel.
    clockOffsetMs: (like.clockOffsetMs ?? 0) + 4_321_000,
  };
  return { id, kind: 'guest', title: `lab guest ${release}`, badge: emulatedBadge, identity };
}

/** The device of a guest: one BAR that faults map, and a small one. */
export const guestDevices: readonly VfioDevice[] = [
  {
    bdf: deviceBdf,
    bars: [
      { index: 0, physicalAddress: 0xfe80_0000, bytes: 4096 },
      { index: 2, physicalAddress: barAddress, bytes: barBytes },
    ],
  },
];
