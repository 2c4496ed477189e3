import { spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordBusySession } from './fakes/temp-store.ts';
import { filesOf, TwoStores } from './fakes/two-stores.ts';

/** FAULTLINE_MUTATIONS=10000 for the long run. */
const mutationCount = Number(process.env['FAULTLINE_MUTATIONS'] ?? 2_000);

let two: TwoStores;

beforeEach(async () => {
  two = await TwoStores.open();
});

afterEach(() => two[Symbol.asyncDispose]());

describe('a hostile file', () => {
  /** An archive by the system tar of whatever lies in the folder `host-1`. */
  function packed(make: (inside: string) => void, words: readonly string[] = ['host-1']): Buffer {
    const inside = two.path('host-1');
    mkdirSync(inside, { recursive: true });
    make(inside);
    const made = spawnSync('tar', ['-czPf', 'x.tar.gz', '--format=ustar', ...words], {
      cwd: two.folder,
      encoding: 'utf8',
    });
    if (made.status !== 0) throw new Error(made.stderr);
    return readFileSync(two.path('x.tar.gz'));
  }

  it.each<[string, RegExp, (inside: string) => void, (readonly string[])?]>([
    ['a link', /is no file/, (inside) => symlinkSync('/etc/passwd', join(inside, 'manifest.json'))],
    [
      'a hard link',
      /is no file/,
      (inside) => {
        writeFileSync(join(inside, 'journal.jsonl'), '');
        linkSync(join(inside, 'journal.jsonl'), join(inside, 'manifest.json'));
      },
      ['host-1/journal.jsonl', 'host-1/manifest.json'],
    ],
    ['a device', /is no file/, () => {}, ['/dev/null']],
    ['a stranger', /belongs to no session/, (inside) => writeFileSync(join(inside, 'extra'), '')],
    ['nothing', /is empty/, () => {}],
    [
      'a path upwards',
      /belongs to no session/,
      (inside) => writeFileSync(join(inside, 'manifest.json'), '{}'),
      ['--transform=s#^#../#', 'host-1/manifest.json'],
    ],
    [
      'a path upwards in its middle',
      /belongs to no session/,
      (inside) => writeFileSync(join(inside, 'manifest.json'), '{}'),
      ['--transform=s#^#host-1/../../#', 'host-1/manifest.json'],
    ],
    ['a path from the root', /belongs to no session/, () => {}, ['/etc/hostname']],
  ])('with %s is refused, and nothing of it stays', async (_, why, make, words) => {
    const answer = await two.importBytes(packed(make, words));
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'session-unreadable', message: expect.stringMatching(why) },
    });
    expect(two.names()).toEqual(['.reserve']);
  });

  it('that unpacks to zeros without an end is refused at its first block', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(await two.importBytes(bomb)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('empty') },
    });
    const head = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'jsonl')).toString().split('\n')[0];
    const zeros = Buffer.concat([Buffer.from(`${head}\n`), Buffer.alloc(80 * 1024 * 1024)]);
    expect(await two.importBytes(zeros)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('a line longer than') },
    });
    expect(two.names()).toEqual(['.reserve']);
  });

  it('with another id than a folder may have is refused', async () => {
    const text = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'jsonl')).toString();
    for (const id of ['../host-1', '.hidden', 'a/b', '', 'x'.repeat(200)]) {
      const answer = await two.importBytes(text.replace('"id":"host-1"', `"id":${JSON.stringify(id)}`));
      expect(answer).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
    }
    expect(two.names()).toEqual(['.reserve']);
  });

  it.each([
    [
      'ten GB of zeros',
      (file: number) => ftruncateSync(file, 10 * 1024 ** 3),
      /neither an archive, nor JSON Lines, nor CSV/,
    ],
    [
      'the beginning of JSON Lines and then zeros',
      (file: number) => {
        writeFileSync(file, '{"kind":"faultline-session"');
        ftruncateSync(file, 10 * 1024 ** 3);
      },
      /first line is too long/,
    ],
    [
      'the header of a CSV and then zeros',
      (file: number) => {
        writeFileSync(file, 'kind,run,manifest\r\nsession,,');
        ftruncateSync(file, 10 * 1024 ** 3);
      },
      /no CSV of ours/,
    ],
  ])('of %s is refused within seconds, having taken no room', async (_, fill, why) => {
    const file = openSync(two.path('given'), 'w');
    fill(file);
    closeSync(file);
    const beganMs = performance.now();
    const answer = await two.importFile('given');
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'session-unreadable', message: expect.stringMatching(why) },
    });
    expect(performance.now() - beganMs).toBeLessThan(10_000);
    expect(two.names()).toEqual(['.reserve']);
  });

  it('with an id that is there already is refused in every format, and what is there stays as it was', async () => {
    await recordBusySession(two.origin, 'host-1');
    await recordBusySession(two.other, 'host-1');
    two.other.store.library.edit('host-1', () => ({ name: 'mine' }));
    const before = filesOf(two.other, 'host-1');
    for (const format of ['archive', 'jsonl', 'csv'] as const)
      expect(await two.importBytes(await two.exported('host-1', format))).toMatchObject({
        ok: false,
        error: { kind: 'session-exists' },
      });
    expect(filesOf(two.other, 'host-1')).toEqual(before);
    expect(two.names()).toEqual(['.reserve', 'host-1']);
  });

  it('that unpacks to gigabytes is refused at the first line that is none, whatever it holds', async () => {
    const tar = gunzipSync(await two.exported(await recordBusySession(two.origin, 'host-1'), 'archive'));
    const journalAt = tar.indexOf('journal.jsonl');
    const header = Buffer.from(tar.subarray(journalAt, journalAt + 512));
    header.write('30000000000', 124, 'latin1');
    const sum = header.fill(0x20, 148, 156).reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    for (const byte of ['\n', '{', ' ', '\0']) {
      // Members of a gzip file follow one another: three GiB in three MiB.
      const member = gzipSync(Buffer.alloc(16 * 1024 * 1024, byte));
      const bomb = Buffer.concat([gzipSync(header), ...Array.from({ length: 192 }, () => member)]);
      const beganMs = performance.now();
      expect(await two.importBytes(bomb)).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
      expect(performance.now() - beganMs).toBeLessThan(5_000);
    }
    expect(two.names()).toEqual(['.reserve']);
  });

  it('that holds a file twice is refused', async () => {
    const tar = gunzipSync(await two.exported(await recordBusySession(two.origin, 'host-1'), 'archive'));
    const twice = Buffer.concat([tar.subarray(0, tar.length - 1024), tar]);
    expect(await two.importBytes(gzipSync(twice))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('twice') },
    });
    expect(two.names()).toEqual(['.reserve']);
  });

  it('whose archive says to be larger than it is, or than a session can be, is refused', async () => {
    const tar = gunzipSync(await two.exported(await recordBusySession(two.origin, 'host-1'), 'archive'));
    for (const size of ['77777777777', '00000000001', '-0000000001', '          ']) {
      const changed = Buffer.from(tar);
      changed.write(size, 124, 'latin1');
      const sum = changed
        .subarray(0, 512)
        .fill(0x20, 148, 156)
        .reduce((total, byte) => total + byte, 0);
      changed.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
      expect(await two.importBytes(gzipSync(changed))).toMatchObject({
        ok: false,
        error: { kind: 'session-unreadable' },
      });
    }
    expect(two.names()).toEqual(['.reserve']);
  });

  it.each<[string, (text: string) => string]>([
    ['a text for a number', (text) => text.replace('"tickCount":3', '"tickCount":"3"')],
    ['a number for a text', (text) => text.replace('"faultline":"0.0.0-test"', '"faultline":7')],
    ['a list for an object', (text) => text.replace('"held":{', '"held":[{').replace('"journalBytes"', '"x"')],
    ['a number that is none', (text) => text.replace('"seq":2', '"seq":1e999')],
    ['a negative cell', (text) => text.replace('"cells":[0]', '"cells":[-1]')],
    ['a cell that has not appeared', (text) => text.replace('"cells":[0]', '"cells":[7]')],
    ['a text that has not appeared', (text) => text.replace('"newTexts":["app"]', '"newTexts":[]')],
    ['a tick that is not its turn', (text) => text.replace('"seq":2', '"seq":3')],
    ['a run that was not started', (text) => text.replace('"slices":[{"run":0', '"slices":[{"run":9')],
    ['time that goes backwards', (text) => text.replace('"fromNs":1000', '"fromNs":1e15')],
    ['a property that nobody knows', (text) => text.replace('"isPinned"', '"__proto__":{"isPinned":true},"isPinned"')],
    ['another event count', (text) => text.replace('"deltas":[5]', '"deltas":[6]')],
  ])('with %s is refused', async (_, change) => {
    const text = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'jsonl')).toString();
    expect(change(text)).not.toBe(text);
    expect(await two.importBytes(change(text))).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
    expect(two.names()).toEqual(['.reserve']);
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['without its manifest', (text) => text.replace(/\r\nsession,.*\r\n/, '\r\n'), /first row/],
    ['with columns of another', (text) => text.replace(',value,', ',weight,'), /columns are not those/],
    ['with a row too few', (text) => text.replace(/call,.*\r\n/, ''), /holds something else/],
    [
      'with a word for a number',
      (text) => text.replace(/(count,0,busy,counts,1,100,0,1000,acquisitions,)5/, '$1many'),
      /number/,
    ],
    [
      'with hexadecimal',
      (text) => text.replace(/(count,0,busy,counts,1,100,0,1000,acquisitions,)5/, '$10x5'),
      /number/,
    ],
    ['with infinity', (text) => text.replace(/(count,0,busy,counts,1,100,0,1000,acquisitions,)5/, '$11e999'), /number/],
    ['with a metric of another', (text) => text.replace('acquisitions,5', 'others,5'), /no metric/],
    ['with a run of another', (text) => text.replace('count,0,', 'count,64,'), /run 64/],
    ['with a kind of another', (text) => text.replace('count,0,', 'tally,0,'), /unknown kind/],
    ['with a row too long', (text) => text.replace(/(call,.*)\r\n/, '$1,1\r\n'), /no CSV of ours/],
    ['with a quote that never ends', (text) => text.replace(/call,/, '"call,'), /no CSV of ours/],
    ['with a second row of the session', (text) => text.replace(/(\r\nsession,.*)\r\n/, '$1$1\r\n'), /number/],
  ])('of CSV %s is refused', async (_, change, why) => {
    const text = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'csv')).toString();
    expect(change(text)).not.toBe(text);
    const answer = await two.importBytes(change(text));
    expect(answer).toMatchObject({
      ok: false,
      error: { kind: 'session-unreadable', message: expect.stringMatching(why) },
    });
    expect(two.names()).toEqual(['.reserve']);
  });

  it('of a newer format is refused, naming both versions', async () => {
    const text = (await two.exported(await recordBusySession(two.origin, 'host-1'), 'jsonl')).toString();
    const answer = await two.importBytes(text.replaceAll('"formatVersion":2', '"formatVersion":4'));
    expect(answer).toMatchObject({ ok: false, error: { message: expect.stringMatching(/version 4.*up to 2/) } });
  });

  it('cut off anywhere is refused', async () => {
    const id = await recordBusySession(two.origin, 'host-1');
    for (const format of ['archive', 'jsonl', 'csv'] as const) {
      const whole = await two.exported(id, format);
      for (let cut = 0; cut < whole.length - 2; cut += Math.ceil(whole.length / 25)) {
        expect(await two.importBytes(whole.subarray(0, cut))).toMatchObject({ ok: false });
      }
    }
    expect(two.names()).toEqual(['.reserve']);
  });

  it(
    `is either refused, with nothing left, or is a session that can be read: ${mutationCount} mutations`,
    async () => {
      const id = await recordBusySession(two.origin, 'host-1');
      const tar = gunzipSync(await two.exported(id, 'archive'));
      const wholes = {
        jsonl: await two.exported(id, 'jsonl'),
        csv: await two.exported(id, 'csv'),
        tar,
        gzip: gzipSync(tar),
      };
      const mutation = fc.record({
        form: fc.constantFrom('jsonl', 'csv', 'tar', 'gzip'),
        edits: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        cut: fc.option(fc.nat(), { freq: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(mutation, async ({ form, edits, cut }) => {
          let bytes = Buffer.from(wholes[form]);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.subarray(0, cut % bytes.length);
          const answer = await two.importBytes(form === 'tar' ? gzipSync(bytes) : bytes);
          if (!answer.ok) {
            expect(answer.error.kind).toBe('session-unreadable');
            expect(two.names()).toEqual(['.reserve']);
            return;
          }
          expect(two.other.store.library.findReadable(answer.value.id)).toMatchObject({ ok: true });
          expect(two.other.store.library.remove(answer.value.id)).toMatchObject({ ok: true });
        }),
        { numRuns: mutationCount },
      );
    },
    30_000 + mutationCount * 100,
  );
});
