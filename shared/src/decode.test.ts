import { describe, expect, it } from 'vitest';
import { decodeLine, dialectOf } from './decode.ts';

const dialect = dialectOf('0.17.0');
const decoded = (line: string, version = '0.17.0'): unknown => {
  const record = decodeLine(line, dialectOf(version));
  return record.ok ? record.value : record.error.reason;
};

describe('a line of bpftrace -f json', () => {
  it('READY tells the kernel clock and the process id', () => {
    expect(decoded(String.raw`{"type": "printf", "data": "READY 1006882763997 8492\n"}`)).toEqual({
      kind: 'ready',
      atNs: 1006882763997,
      pid: 8492,
    });
  });

  it('HB closes a snapshot; a text that only looks like one does not', () => {
    expect(decoded(String.raw`{"type": "printf", "data": "HB 1007133234379\n"}`)).toEqual({
      kind: 'heartbeat',
      atNs: 1007133234379,
    });
    expect(decoded(String.raw`{"type": "printf", "data": "HB 12\nHB 13\n"}`)).toMatchObject({ kind: 'text' });
  });

  it('a map with and without keys', () => {
    expect(decoded('{"type": "map", "data": {"@a": 62969}}')).toEqual({
      kind: 'map',
      map: '@a',
      entries: [[undefined, 62969]],
    });
    expect(decoded('{"type": "map", "data": {"@a": {"1,0,sh": 3, "0,1,a,b": 4}}}')).toEqual({
      kind: 'map',
      map: '@a',
      entries: [
        ['1,0,sh', 3],
        ['0,1,a,b', 4],
      ],
    });
  });

  it('a map of texts is names; an empty one says nothing', () => {
    const line = '{"type": "map", "data": {"@devices": {"-131391544281088": "0000:01:00.0", "-7": ""}}}';
    expect(decoded(line)).toEqual({
      kind: 'names',
      map: '@devices',
      names: [
        ['-131391544281088', '0000:01:00.0'],
        ['-7', ''],
      ],
    });
    expect(decoded('{"type": "map", "data": {"@devices": {}}}')).toEqual({ kind: 'map', map: '@devices', entries: [] });
  });

  it('a quote in a key is one quote, also where 0.23 escapes it twice', () => {
    const entries = [[String.raw`1,a,b"c\d`, 5]];
    expect(decoded(String.raw`{"type": "map", "data": {"@s": {"1,a,b\"c\\d": 5}}}`, '0.17.0')).toMatchObject({
      entries,
    });
    expect(decoded(String.raw`{"type": "map", "data": {"@s": {"1,a,b\\\"c\\\\d": 5}}}`, '0.23.2')).toMatchObject({
      entries,
    });
    expect(decoded(String.raw`{"type": "map", "data": {"@s": {"1,a,b\"c\\d": 5}}}`, '0.27.1')).toMatchObject({
      entries,
    });
  });

  it('a key that 0.27 prints twice, its blanks dropped, has the sum of both', () => {
    const line = String.raw`{"type": "map", "data": {"@acq": {"0,a:b": 4, "1,x\"y": 5, "0,a:b": 7, "0,{,}": 2, "0,big": "9007199254740993"}}}`;
    const entries = [
      ['0,a:b', 11],
      ['1,x"y', 5],
      ['0,{,}', 2],
      ['0,big', 9007199254740992],
    ];
    expect(decoded(line, '0.27.1')).toEqual({ kind: 'map', map: '@acq', entries });
    expect(decoded('{"type": "map", "data": {"@acq": {}}}', '0.27.1')).toEqual({
      kind: 'map',
      map: '@acq',
      entries: [],
    });
    expect(decoded('{"type": "map", "data": {"@acq": {"0,a": {"x": 1}}}}', '0.27.1')).toMatch(
      /something else than a number/,
    );
  });

  it('a name beyond ASCII is itself again, in all versions; a cut one shows where', () => {
    const entries = [['0,Zoë€', 7]];
    expect(
      decoded(
        String.raw`{"type": "map", "data": {"@s": {"0,Zo\uffffffc3\uffffffab\uffffffe2\uffffff82\uffffffac": 7}}}`,
        '0.17.0',
      ),
    ).toMatchObject({ entries });
    expect(
      decoded(
        String.raw`{"type": "map", "data": {"@s": {"0,Zo\\uffffffc3\\uffffffab\\uffffffe2\\uffffff82\\uffffffac": 7}}}`,
        '0.23.2',
      ),
    ).toMatchObject({ entries });
    expect(decoded(String.raw`{"type": "map", "data": {"@s": {"0,a\uffffffc3": 1}}}`)).toMatchObject({
      entries: [['0,a\ufffd', 1]],
    });
  });

  it('a loss, as JSON and as the plain text that 0.17 can slip in', () => {
    expect(decoded('{"type": "lost_events", "count": 399, "data": {"events": 399}}')).toEqual({
      kind: 'lost',
      eventCount: 399,
    });
    expect(decoded('Lost 12 events')).toEqual({ kind: 'lost', eventCount: 12 });
  });

  it('a failed helper, which has no data', () => {
    const line =
      '{"type": "helper_error", "msg": "Map full", "helper": "map_update_elem", "retcode": -7, "line": 2, "col": 37}';
    expect(decoded(line)).toEqual({ kind: 'helper-error', helper: 'map_update_elem', errno: 7, message: 'Map full' });
  });

  it('a blank line is nothing', () => {
    expect(decodeLine('', dialect)).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ['half a line', '{"type": "map", "data": {"@a": {"1,0,'],
    ['plain text', 'Attaching 3 probes...'],
    ['a number', '17'],
    ['null', 'null'],
    ['no type', '{"data": 1}'],
    ['an unknown type', '{"type": "surprise", "data": 1}'],
    ['two maps in one', '{"type": "map", "data": {"@a": 1, "@b": 2}}'],
    ['a map of objects', '{"type": "map", "data": {"@a": {"1": {"x": 1}}}}'],
    ['a nested tuple', '{"type": "value", "data": [1,[2]]}'],
  ])('%s is malformed, with a reason', (_name, line) => {
    const record = decodeLine(line, dialect);
    expect(record.ok).toBe(false);
    expect(record.ok ? '' : record.error.reason).not.toBe('');
  });
});
