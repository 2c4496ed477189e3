import { describe, expect, it } from 'vitest';
import { helpColumns } from './help.ts';
import { readCommandLine } from './program.ts';

function said(...words: readonly string[]): string {
  return saidOn({}, words);
}

function saidOn(terminal: { isErrTty?: boolean }, words: readonly string[]): string {
  let text = '';
  const say = (more: string): void => void (text += more);
  readCommandLine(words, {}, { out: say, err: say, ...terminal }, '1.2.3');
  return text;
}

/** The commands that a help lists. */
function commandsIn(help: string): readonly string[] {
  const [, list = ''] = help.split('Commands:\n');
  return [...list.matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
}

const groups = commandsIn(said('--help'));
const commands = [
  [],
  ...groups.flatMap((name) => [[name], ...commandsIn(said(name, '--help')).map((one) => [name, one])]),
];

describe('the help of every command', () => {
  it('is found', () => {
    expect(commands.length).toBeGreaterThan(25);
    expect(commands).toContainEqual(['lab', 'thread']);
  });

  it.each(commands.map((words) => [words.join(' '), words] as const))('%s fits into a terminal', (_, words) => {
    const tooWide = said(...words, '--help')
      .split('\n')
      .filter((line) => line.length > helpColumns);
    expect(tooWide).toEqual([]);
  });

  it.each(commands.map((words) => [words.join(' '), words] as const))('%s names no bare default', (_, words) => {
    // Defaults are what somebody could type: neither an empty list, nor bytes, nor milliseconds, nor said twice.
    expect(said(...words, '--help')).not.toMatch(/default:\s+(?:\[\]|[0-9]{5,}|0\.)|\(default[^)]*\)\s+\(default/);
  });

  it.each([
    'record',
    'lab run',
    'lab boot',
    'compare',
    'summary',
    'export',
    'import',
    'replay',
    'serve',
    'sessions rm',
  ])('%s says what its exit statuses mean', (command) => {
    expect(said(...command.split(' '), '--help')).toMatch(/^Exit status: 0/m);
  });
});

describe('wrong words', () => {
  it.each([
    [['lab', 'run', '6.1'], '(faultline lab run --help says more)'],
    [['sessions', 'mrk'], '(faultline sessions --help says more)'],
    [['record', '--for', '10'], '(faultline record --help says more)'],
    [['bogus'], '(faultline --help says more)'],
  ])('%j are sent to the help of their own command', (words, hint) => {
    expect(said(...words)).toContain(hint);
  });

  it('are answered within a terminal, in a file on one line, and begin a sentence as one', () => {
    const words = ['compare', '--metric', 'bogus', 'a', '--', 'b'];
    const lines = saidOn({ isErrTty: true }, words).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(helpColumns);
    expect(said(...words).split('\n')).toHaveLength(3);
    expect(said('lab', 'thread', '--variants', 'v9')).toContain('There is no "v9"');
  });

  it('of a workload are answered with those there are', () => {
    expect(said('lab', 'run', '6.1', '--workload', 'tuch')).toMatch(/There are touch, dma-map,/);
  });
});
