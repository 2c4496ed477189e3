import { describe, expect, it } from 'vitest';
import { ownMatrix, type Request, readCommandLine } from './program.ts';

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
    matrixFile: ownMatrix,
    start: 'host',
  };
  it.each([
    ['serve', plain],
    ['serve --port 0', { ...plain, port: 0 }],
    ['serve --replay', { ...plain, start: 'replay' }],
    ['serve --no-trace', { ...plain, start: 'nothing' }],
    ['serve --host 0.0.0.0 --token abc', { ...plain, host: '0.0.0.0', token: 'abc' }],
    ['serve --matrix /tmp/m.toml', { ...plain, matrixFile: '/tmp/m.toml' }],
    ['serve --lab 6.1 --lab 6.12', { ...plain, labKernels: ['6.1', '6.12'] }],
    ['serve --allow-host a --allow-host b:80', { ...plain, allowedHosts: ['a', 'b:80'] }],
  ])('%s', (line, serve) => {
    expect(read(line).request).toEqual({ kind: 'serve', bpftrace, serve, store: expect.anything() });
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
      store: expect.anything(),
      label: undefined,
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

describe('machines over ssh', () => {
  it('are added to serve, each once, with a config of their own where one is named', () => {
    expect(read('serve --ssh root@a --ssh b --ssh root@a').request).toMatchObject({
      bpftrace: { ...bpftrace, ssh: { destinations: ['root@a', 'b'], configFile: undefined } },
    });
    expect(read('serve --ssh a --ssh-config /etc/x').request).toMatchObject({
      bpftrace: { ssh: { destinations: ['a'], configFile: '/etc/x' } },
    });
  });

  it.each(['record', 'doctor'])('are a target of %s', (command) => {
    expect(read(`${command} --target ssh:root@a --bpftrace-prefix sudo`).request).toMatchObject({
      kind: command,
      targetId: 'ssh:root@a',
      bpftrace: { bpftrace: 'bpftrace', prefix: ['sudo'], ssh: { destinations: ['root@a'], configFile: undefined } },
    });
  });

  it('have an id that fits into an address, however long their names are', () => {
    const ids = ['a', 'b'].map((last) => {
      const { request } = read(`record --target ssh:${'h'.repeat(200)}${last}`);
      return request.kind === 'record' ? request.targetId : '';
    });
    expect(ids[0]).toMatch(/^ssh:h+-[0-9a-f]{16}$/);
    expect(ids.map((id) => id.length)).toEqual([80, 80]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('are no more than a server takes', () => {
    const line = (count: number): string =>
      `serve ${Array.from({ length: count }, (_, at) => `--ssh h${at}`).join(' ')}`;
    expect(read(line(14)).request.kind).toBe('serve');
    expect(read(line(15))).toMatchObject({
      request: { kind: 'said', status: 2 },
      err: expect.stringContaining('At most 14'),
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
    ['serve --ssh -oProxyCommand=id', 'is not a destination of ssh'],
    ['record --target ssh:-oProxyCommand=id', 'is not a destination of ssh'],
    ['doctor --target ssh:', 'is not a destination of ssh'],
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
