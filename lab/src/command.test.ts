import { labCommandMaxMs } from '@faultline/shared';
import { afterEach, expect, it, vi } from 'vitest';
import { run } from './command.ts';

afterEach(() => void vi.useRealTimers());

it('ends a program that takes too long, also where what it started lives on and holds its pipes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const running = run('sh', ['-c', 'sleep 60 & wait']);
  await vi.advanceTimersByTimeAsync(labCommandMaxMs);
  expect(await running).toMatchObject({
    ok: false,
    error: { message: expect.stringMatching(/^sh ended with SIGKILL/) },
  });
}, 20_000);
