import { describe, expect, it } from 'vitest';
import { type Request, readCommandLine } from './program.ts';

function read(
  line: string,
  environment: { FAULTLINE_TOKEN?: string } = {},
): { request: Request; out: string; err: string } {
  let out = '';
  let err = '';
  const terminal = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const words = line.split(' ').filter((word) => word !== '');
  return { request: readCommandLine(words, environment, terminal, '1.2.3'), out, err };
}

const bpftrace = { bpftrace: 'bpftrace', prefix: [] };

describe('serve', () => {
  const plain = {
    port: undefined,
    host: '127.0.0.1',
    token: undefined,
    allowedHosts: [],
    labKernels: [],
    start: 'host',
  };
  it.each([
    ['serve', plain],
    ['serve --port 0', { ...plain, port: 0 }],
    ['serve --replay', { ...plain, start: 'replay' }],
    ['serve --no-trace', { ...plain, start: 'nothing' }],
    ['serve --host 0.0.0.0 --token abc', { ...plain, host: '0.0.0.0', token: 'abc' }],
    ['serve --lab 6.1 --lab 6.12', { ...plain, labKernels: ['6.1', '6.12'] }],
    ['serve --allow-host a --allow-host b:80', { ...plain, allowedHosts: ['a', 'b:80'] }],
  ])('%s', (line, serve) => {
    expect(read(line).request).toEqual({ kind: 'serve', bpftrace, serve });
  });

  it('takes the token from the environment, an empty one being none', () => {
    expect(read('serve', { FAULTLINE_TOKEN: 'xyz' }).request).toMatchObject({ serve: { token: 'xyz' } });
    expect(read('serve --token abc', { FAULTLINE_TOKEN: 'xyz' }).request).toMatchObject({ serve: { token: 'abc' } });
    expect(read('serve', { FAULTLINE_TOKEN: '' }).request).toMatchObject({ serve: { token: undefined } });
  });
});

describe('doctor and record', () => {
  it('take what they are told', () => {
    expect(read('doctor --json --target replay').request).toEqual({
      kind: 'doctor',
      bpftrace,
      targetId: 'replay',
      isJson: true,
    });
    expect(read('record').request).toEqual({
      kind: 'record',
      bpftrace,
      targetId: 'host',
      probes: undefined,
      parameters: [],
      durationMs: 10_000,
      isJson: false,
    });
    expect(
      read('record --probes a,b:c --for 500ms --param a.x=1 --param b.y=2 --bpftrace /opt/bpftrace').request,
    ).toMatchObject({
      probes: 'a,b:c',
      durationMs: 500,
      parameters: ['a.x=1', 'b.y=2'],
      bpftrace: { bpftrace: '/opt/bpftrace', prefix: [] },
    });
  });
});

describe('wrong words', () => {
  it.each([
    ['', 'Usage: faultline'],
    ['bogus', "unknown command 'bogus'"],
    ['serve --bogus', "unknown option '--bogus'"],
    ['serve extra', 'too many arguments'],
    ['serve --port x', 'is not a port'],
    ['serve --replay --no-trace', 'cannot be used with'],
    ['record --for 10', 'is not a duration'],
    ['record --for', 'argument missing'],
  ])('%j have status 2 and are explained on stderr', (line, words) => {
    const { request, out, err } = read(line);
    expect(request).toEqual({ kind: 'said', status: 2 });
    expect(err).toContain(words);
    expect(out).toBe('');
  });

  it('are told from a question: help and version have status 0 and go to stdout', () => {
    expect(read('--version')).toMatchObject({ request: { kind: 'said', status: 0 }, out: '1.2.3\n', err: '' });
    for (const line of ['--help', 'serve --help', 'help record']) {
      const { request, out, err } = read(line);
      expect([request, out.startsWith('Usage: faultline'), err]).toEqual([{ kind: 'said', status: 0 }, true, '']);
    }
  });
});
