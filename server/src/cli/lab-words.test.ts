import { describe, expect, it } from 'vitest';
import { parseBarBytes } from '../lab/bar-words.ts';
import { parseCount } from './lab-words.ts';
import { readCommandLine } from './program.ts';

const read = (...words: readonly string[]): { request: unknown; said: string } => {
  let said = '';
  const say = (text: string): void => {
    said += text;
  };
  return { request: readCommandLine(words, {}, { out: say, err: say }, '0'), said };
};

describe('the words of faultline lab', () => {
  it.each([
    ['64M', 67_108_864],
    ['1G', 1_073_741_824],
    ['1048576', 1_048_576],
  ])('take %s for the size of a BAR', (text, bytes) => {
    expect(parseBarBytes(text)).toEqual({ ok: true, value: bytes });
  });

  it.each(['63M', '512K', '8G', '-1M', '64MB', ''])('refuse %j as the size of a BAR', (text) => {
    expect(parseBarBytes(text).ok).toBe(false);
  });

  it('count repetitions from one', () => {
    expect(parseCount('23')).toEqual({ ok: true, value: 23 });
    expect(parseCount('0').ok).toBe(false);
    expect(parseCount('1e3').ok).toBe(false);
  });

  it('make a request of a whole line', () => {
    const { request } = read(
      'lab',
      'run',
      '6.1',
      '--workload',
      'dma-map',
      '--bar',
      '8M',
      '--misaligned',
      '--for',
      '2s',
    );
    expect(request).toMatchObject({
      kind: 'lab',
      words: {
        command: 'run',
        kernel: '6.1',
        workload: 'dma-map',
        barBytes: 8_388_608,
        isMisaligned: true,
        durationMs: 2000,
        start: 'fastest',
      },
    });
  });

  it('record into another store where one is named', () => {
    expect(read('lab', 'run', '6.1', '--workload', 'touch', '--store', '/tmp/x').request).toMatchObject({
      store: { folder: '/tmp/x', isChosen: true },
    });
    expect(read('lab', 'boot', '6.1').request).toMatchObject({ store: { isChosen: false } });
  });

  it.each([
    [['lab', 'run', '6.1'], /--workload/],
    [['lab', 'run', '6.1', '--workload', 'sleep'], /no workload "sleep"/],
    [['lab', 'run', '6.1', '--workload', 'contention', '--threads', '65'], /from 1 to 64/],
    [['lab', 'compare', '6.1', '6.12', '--workload', 'contention', '--threads', '0'], /from 1 to 64/],
    [['lab', 'boot'], /kernel/],
    [['lab', 'boot', '6.1', '--bar', '3M'], /power of two/],
  ])('refuse %j with status 2', (words, message) => {
    const { request, said } = read(...words);
    expect(request).toEqual({ kind: 'said', status: 2 });
    expect(said).toMatch(message);
  });
});
