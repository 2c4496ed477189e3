import { sshDestinationCharsMax } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { keptFolder, MarkFilter, parseDestination, quoted } from './ssh-command.ts';

describe('a destination', () => {
  it.each(['host', 'root@host.example', 'me_1@10.0.0.1', 'ssh://me@host:2222', 'fe80::1', 'ssh://[::1]:22'])(
    'may be %s',
    (text) => {
      expect(parseDestination(text)).toEqual({ ok: true, value: text });
    },
  );

  it.each([
    '',
    '-oProxyCommand=id',
    'me@-oProxyCommand=id',
    '-me@host',
    'ssh://-host',
    'host name',
    'host;id',
    'a@b@c',
    '$(id)',
    '`id`',
    "h'",
    'host\n',
    'hé',
    'a/b',
    '%h',
  ])('is not %j', (text) => {
    expect(parseDestination(text)).toMatchObject({
      ok: false,
      error: { remedy: expect.stringContaining('USER@HOST') },
    });
  });

  it('has a length', () => {
    expect(parseDestination('h'.repeat(sshDestinationCharsMax)).ok).toBe(true);
    expect(parseDestination('h'.repeat(sshDestinationCharsMax + 1)).ok).toBe(false);
  });
});

describe('a quoted word', () => {
  it.each([
    ['', "''"],
    ['a b', "'a b'"],
    ['$(id)`id`"', `'$(id)\`id\`"'`],
    ["it's", `'it'"'"'s'`],
    [String.raw`\'`, String.raw`"\\'"`],
  ])('%j is %s', (word, text) => {
    expect(quoted(word)).toBe(text);
  });
});

describe('the mark in a stream', () => {
  const mark = 'abcabd';

  it.each([
    ['whole', ['x abcab', 'cabd 3;'], 'x abc', '3'],
    ['cut anywhere', 'xabcabd 255;'.split(''), 'x', '255'],
    ['at once', ['abcabd missing;rest'], '', 'missing'],
    ['with what is like it before', ['abcabcabd 0;'], 'abc', '0'],
  ])('is taken out: %s', (_name, chunks, own, status) => {
    const filter = new MarkFilter(mark);
    expect(chunks.map((chunk) => filter.push(Buffer.from(chunk)).toString()).join('')).toBe(own);
    expect([filter.status, filter.rest().toString()]).toEqual([status, '']);
  });

  it('is not seen where it is not: nothing is held back for ever', () => {
    const filter = new MarkFilter(mark);
    const passed = ['one abc', 'two', ' abca'].map((chunk) => filter.push(Buffer.from(chunk)).toString());
    expect(passed).toEqual(['one ', 'abctwo', ' ']);
    expect([filter.status, filter.rest().toString()]).toEqual([undefined, 'abca']);
  });
});

describe('the keeper’s greeting', () => {
  it('is found behind what start files print, and nowhere else', () => {
    expect(keptFolder('Welcome!\nFAULTLINE /tmp/faultline.aB3dE6gH9k\n')).toBe('/tmp/faultline.aB3dE6gH9k');
    expect(keptFolder('FAULTLINE /etc\n')).toBeUndefined();
    expect(keptFolder('FAULTLINE /tmp/faultline.aB3/../x\n')).toBeUndefined();
  });
});
