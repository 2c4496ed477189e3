import { ensure } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { fakeProbes } from '../../test/fakes/fake-tracing.ts';
import { chooseStreams, defaultStreams, parseDuration, parsePort, parsePrefix } from './arguments.ts';

describe('a duration', () => {
  it.each([
    ['500ms', 500],
    ['1ms', 1],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['24h', 86_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each(['', '10', 's', '-1s', '1e3s', '0s', '0.1ms', '25h', '10 s', '10s ', 'Infinitys', '1.s', '٣s'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toMatchObject({ ok: false, error: { remedy: expect.stringContaining('10s') } });
    },
  );
});

describe('a port', () => {
  it.each([
    ['0', 0],
    ['7766', 7766],
    ['65535', 65_535],
  ])('%s is %d', (text, port) => {
    expect(parsePort(text)).toEqual({ ok: true, value: port });
  });

  it.each(['', '-1', '65536', '1.5', '0x10', 'http', '1e3'])('%j is none', (text) => {
    expect(parsePort(text)).toMatchObject({ ok: false });
  });
});

describe('words before bpftrace', () => {
  it('are split at blanks and at nothing else', () => {
    expect(parsePrefix('  sudo -n  "a;b"$(x) ')).toEqual(['sudo', '-n', '"a;b"$(x)']);
    expect(parsePrefix('')).toEqual([]);
  });
});

describe('streams', () => {
  const choose = (probes: string | undefined, parameters: readonly string[] = []) =>
    chooseStreams({ targetId: 'host', probes, parameters }, fakeProbes);

  it('are those that run by default when nobody chooses', () => {
    const runs = [
      { targetId: 'host', probe: 'mmap-lock', stream: 'counts' },
      { targetId: 'host', probe: 'page-fault', stream: 'counts' },
    ];
    expect(choose(undefined)).toEqual({ ok: true, value: runs });
    expect(defaultStreams('host', fakeProbes)).toEqual(runs);
  });

  it('of a probe that never runs unasked are all of it where it is named', () => {
    const [first, ...others] = fakeProbes;
    const costly = {
      ...ensure(first, 'fakes'),
      name: 'costly',
      streams: ensure(first, 'fakes').streams.map((one) => ({ ...one, isDefault: false })),
    };
    const manifests = [costly, ...others];
    const chosen = (probes: string | undefined) =>
      chooseStreams({ targetId: 'host', probes, parameters: [] }, manifests);
    expect(chosen(undefined)).toMatchObject({ ok: true, value: [{ probe: 'page-fault', stream: 'counts' }] });
    expect(chosen('costly')).toMatchObject({ ok: true, value: [{ stream: 'counts' }, { stream: 'slow' }] });
  });

  it('are named by probe, or by probe and stream, each once', () => {
    expect(choose('mmap-lock:slow, mmap-lock,mmap-lock:counts')).toEqual({
      ok: true,
      value: [
        { targetId: 'host', probe: 'mmap-lock', stream: 'slow' },
        { targetId: 'host', probe: 'mmap-lock', stream: 'counts' },
      ],
    });
  });

  it('take parameters: all of a probe, or one', () => {
    expect(choose('mmap-lock,mmap-lock:slow', ['mmap-lock.pid=7', 'mmap-lock:slow.pid=8'])).toEqual({
      ok: true,
      value: [
        { targetId: 'host', probe: 'mmap-lock', stream: 'counts', parameters: { pid: 7 } },
        { targetId: 'host', probe: 'mmap-lock', stream: 'slow', parameters: { pid: 8 } },
      ],
    });
  });

  it.each([
    ['nothing', [], 'there is no probe "nothing"', 'mmap-lock, page-fault'],
    ['', [], 'there is no probe ""', 'mmap-lock'],
    ['mmap-lock:fast', [], 'probe mmap-lock has no stream "fast"', 'mmap-lock:counts, mmap-lock:slow'],
    ['mmap-lock:slow:x', [], 'there is no probe', 'mmap-lock'],
    ['mmap-lock', ['page-fault.pid=1'], 'for a stream that is not chosen', 'mmap-lock:counts'],
    ['mmap-lock', ['mmap-lock:slow.pid=1'], 'for a stream that is not chosen', 'mmap-lock:counts'],
    ['mmap-lock', ['mmap-lock.uid=1'], 'mmap-lock has no parameter "uid"', 'It has: pid.'],
    ['mmap-lock', ['mmap-lock.pid=-1'], 'is not a parameter', 'PROBE.NAME=NUMBER'],
    ['mmap-lock', ['mmap-lock.pid=99999999999999999'], 'is not a parameter', 'PROBE.NAME=NUMBER'],
    ['mmap-lock', ['pid=1'], 'is not a parameter', 'PROBE.NAME=NUMBER'],
    ['mmap-lock', ['mmap-lock.pid=1; rm -rf'], 'is not a parameter', 'PROBE.NAME=NUMBER'],
  ])('%j with %j are refused', (probes, parameters, message, remedy) => {
    expect(choose(probes, parameters)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining(message), remedy: expect.stringContaining(remedy) },
    });
  });
});
