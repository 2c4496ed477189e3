import { err, ok } from '@faultline/shared';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Target, TargetProcess } from '../targets/target.ts';
import { preflight } from './preflight.ts';

/** A target where `ps` answers this, and nothing else does. */
function targetWithProcesses(listed: string): Target {
  const start = (program: string): TargetProcess => {
    const stdout = new PassThrough().end(program === 'ps' ? listed : '');
    return {
      stdout,
      stderr: new PassThrough().end(),
      exited: once(stdout, 'end').then(() => ({ code: program === 'ps' ? 0 : 1 })),
      signal: () => undefined,
      release: () => undefined,
    };
  };
  return {
    id: 'far',
    kind: 'ssh',
    title: 'far',
    badge: undefined,
    identity: () => Promise.resolve(err({ kind: 'failed' as const, message: 'not known' })),
    readFile: (path) => Promise.resolve(err({ kind: 'not-found' as const, message: `${path} is not there` })),
    exists: () => Promise.resolve(ok(false)),
    start: ({ program }) => start(program),
    hasRecording: () => undefined,
    placeScript: () => Promise.reject(new Error('not asked')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describe('the check for other tracers', () => {
  it('leaves out the bpftraces of our own runs, wherever they run and whoever started them', async () => {
    const listed = '  1 systemd\n 77 bpftrace\n 78 bpftrace\n 79 perf\n';
    const foundBeside = async (own: readonly number[]): Promise<unknown> => {
      const { checks } = await preflight(targetWithProcesses(listed), [], own);
      return checks.find(({ name }) => name === 'other-tracers')?.found;
    };
    expect(await foundBeside([77])).toBe('bpftrace (78), perf (79)');
    expect(await foundBeside([])).toBe('bpftrace (77), bpftrace (78), perf (79)');
  });
});
