import { PassThrough } from 'node:stream';
import type { Guest } from '@faultline/lab';
import { killedWaitMaxMs, ok, readyWaitMaxMs } from '@faultline/shared';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GuestTarget } from './guest.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A guest whose processes are held when they are told to be; what it was told is in `told`. */
function fakeGuest() {
  const told: string[] = [];
  const holders: (() => void)[] = [];
  const agent = {
    nextId: 9,
    start: () => ({
      ...{ id: holders.length + 1, stdout: new PassThrough(), stderr: new PassThrough() },
      exited: new Promise(() => undefined),
      held: new Promise<void>((resolve) => holders.push(resolve)),
    }),
    speak: (id: number) => told.push(`speak ${id}`),
  };
  const save = async () => {
    told.push('snapshot');
    return ok(undefined);
  };
  const guest = { kernel: { name: '6.1' }, accelerator: 'tcg', machine: { ended: Promise.resolve(''), agent }, save };
  const target = new GuestTarget('lab', guest as unknown as Guest);
  for (const script of ['a.bt', 'b.bt']) target.start({ program: 'bpftrace', args: [script], env: {} });
  return { target, holders, told };
}

it('a guest has its snapshot once all that was started is attached, and lets it speak', async () => {
  const { target, holders, told } = fakeGuest();
  const settling = target.settle(() => told.push('attached'));
  holders[0]?.();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
  holders[1]?.();
  expect(await settling).toBeUndefined();
  expect(told).toEqual(['attached', 'snapshot', 'speak 1', 'speak 2']);
});

it('a guest in which something neither attaches nor ends goes on without a snapshot, in bounded time', async () => {
  const { target, holders, told } = fakeGuest();
  const settling = target.settle(() => told.push('attached'));
  holders[0]?.();
  await vi.advanceTimersByTimeAsync(readyWaitMaxMs * target.patience + killedWaitMaxMs);
  expect(await settling).toContain('neither attached nor ended in time');
  expect(told).toEqual(['speak 1', 'speak 2']);
});
