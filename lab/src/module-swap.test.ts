import { PassThrough } from 'node:stream';
import { ok, targetCommandMaxMs } from '@faultline/shared';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { AgentLink } from './agent-link.ts';
import { swapModule } from './module-swap.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('gives a swap up that the kernel does not end, with what was said until then', async () => {
  const told: (number | string)[] = [];
  const process = {
    ...{ stdout: new PassThrough(), stderr: new PassThrough(), exited: new Promise(() => undefined) },
    signal: (number: number) => told.push(number),
    release: () => told.push('released'),
  };
  const agent = { writeFile: async () => ok(undefined), start: () => process } as unknown as AgentLink;
  const swapping = swapModule(agent, new Uint8Array(1));
  await vi.advanceTimersByTimeAsync(0);
  process.stderr.write('rmmod: it is in use\n');
  await vi.advanceTimersByTimeAsync(targetCommandMaxMs);
  expect(await swapping).toMatchObject({
    ok: false,
    error: { message: 'the module could not be swapped: it was not done within 30 s: rmmod: it is in use' },
  });
  expect(told).toEqual([9, 'released']);
});
