import { PassThrough } from 'node:stream';
import { sshAnswerMaxMs } from '@faultline/shared';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SshKeeper } from './ssh-keeper.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('gives the connection up when a question has no answer, and then answers all that wait', async () => {
  const given: string[] = [];
  const keeper = new SshKeeper((why) => {
    given.push(why);
    keeper.end();
  });
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  keeper.attend(stdin, stdout);
  stdout.write('FAULTLINE /tmp/faultline.AAAAAAAAAA\n');
  await vi.advanceTimersByTimeAsync(0);
  const answers = Promise.all([keeper.look('/on/a/dead/nfs'), keeper.read('/proc/version')]);
  await vi.advanceTimersByTimeAsync(sshAnswerMaxMs - 1);
  expect(given).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(given).toEqual(['the shell there did not answer within 90 s: look /on/a/dead/nfs']);
  expect(await answers).toEqual([undefined, undefined]);
});

it('counts the time of each question from when it is asked', async () => {
  const given: string[] = [];
  const keeper = new SshKeeper((why) => void given.push(why));
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  keeper.attend(stdin, stdout);
  stdout.write('FAULTLINE /tmp/faultline.AAAAAAAAAA\n');
  await vi.advanceTimersByTimeAsync(0);
  const mark = /[0-9a-f]{32}/.exec(keeper.command)?.[0] ?? '';
  const answers = Promise.all([keeper.look('/a'), keeper.look('/b')]);
  for (let question = 0; question < 2; question += 1) {
    await vi.advanceTimersByTimeAsync(sshAnswerMaxMs * 0.7);
    stdout.write(`${mark} ${question};`);
  }
  await vi.advanceTimersByTimeAsync(sshAnswerMaxMs);
  expect((await answers).map((answer) => answer?.status)).toEqual([0, 1]);
  expect(given).toEqual([]);
  keeper.end();
});
