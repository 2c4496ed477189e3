import { pipeCloseMaxMs, killedWaitMaxMs, targetCommandMaxMs } from '@faultline/shared';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ask } from './command.ts';
import { HostTarget } from './host.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('answers in bounded time for a program that neither ends nor can be ended', async () => {
  const did: string[] = [];
  await using target = new HostTarget({ bpftrace: 'bpftrace', prefix: [] });
  target.start = () => ({
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exited: new Promise(() => undefined),
    signal: (name) => did.push(name),
    release: () => did.push('release'),
  });
  const answer = ask(target, { program: 'hangs', args: [], env: {} });
  await vi.advanceTimersByTimeAsync(targetCommandMaxMs - 1);
  expect(did).toEqual([]);
  await vi.advanceTimersByTimeAsync(1 + pipeCloseMaxMs);
  expect(did).toEqual(['SIGKILL', 'release']);
  await vi.advanceTimersByTimeAsync(killedWaitMaxMs);
  expect(await answer).toMatchObject({ ok: false, error: { kind: 'timeout' } });
});
