import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExportFormat, exportFormats } from '../src/exports/formats.ts';
import { openExportSource } from '../src/sessions/export-source.ts';
import { importSession } from '../src/sessions/import-session.ts';
import { busyProbe } from './fakes/busy-probe.ts';
import { busySession, openTempStore, pushBusyTick, recordBusySession, type TempStore } from './fakes/temp-store.ts';

/** FAULTLINE_MUTATIONS=10000 for the long run. */
const mutationCount = Number(process.env['FAULTLINE_MUTATIONS'] ?? 300);

let origin: TempStore;
let other: TempStore;
let folder: string;

beforeEach(async () => {
  origin = await openTempStore();
  other = await openTempStore();
  folder = mkdtempSync(join(tmpdir(), 'faultline-import-'));
});

afterEach(async () => {
  await origin[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function exported(id: string, format: ExportFormat): Promise<Buffer> {
  const found = origin.store.library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  const pieces = await Array.fromAsync(exportFormats[format].write(openExportSource(found.value)));
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}

async function importBytes(bytes: Buffer | string): ReturnType<typeof importSession> {
  const file = join(folder, 'given');
  writeFileSync(file, bytes);
  return importSession(other.store.library, file);
}

/** Nothing is left in the store of what was refused. */
function expectUntouched(): void {
  expect(readdirSync(other.folder)).toEqual(['.reserve']);
}

const filesOf = (store: TempStore, id: string): string[] =>
  ['manifest.json', 'journal.jsonl'].map((name) => readFileSync(join(store.folder, id, name), 'utf8'));

describe('an exported session', () => {
  it.each(['archive', 'jsonl'] as const)('as %s is imported again, equal to the byte', async (format) => {
    const id = await recordBusySession(origin, 'host-1');
    origin.store.library.edit(id, () => ({
      name: '<img src=x onerror=alert(1)>',
      notes: [{ atMs: 1, text: 'a\nb' }],
      isPinned: true,
    }));
    expect(await importBytes(await exported(id, format))).toMatchObject({ ok: true, value: { id } });
    expect(filesOf(other, id)).toEqual(filesOf(origin, id));
    const again = await importBytes(await exported(id, format));
    expect(again).toMatchObject({ ok: false, error: { kind: 'session-exists' } });
  });

  it.each(['archive', 'jsonl'] as const)('as %s while it was recorded goes as far as it went', async (format) => {
    const session = busySession('live');
    const recording = origin.store.record(session, [busyProbe]);
    pushBusyTick(session, 5, 4);
    await recording.close();
    // What a live session looks like to an export: a manifest that says live, a journal without an end, a torn line.
    const [manifest = '', journal = ''] = filesOf(origin, 'live');
    const live = manifest.replace('"state": "closed"', '"state": "live"');
    writeFileSync(join(origin.folder, 'live', 'manifest.json'), live);
    writeFileSync(
      join(origin.folder, 'live', 'journal.jsonl'),
      `${journal.replace(/\{"kind":"end".*\n$/, '')}{"kind":"ti`,
    );
    expect(await importBytes(await exported('live', format))).toMatchObject({
      ok: true,
      value: {
        state: 'interrupted',
        held: { tickCount: 1, callCount: 4, eventCount: 5 },
        interruption: { discardedBytes: 11 },
      },
    });
  });

  it('is unpacked by the system tar, and what that packs is imported', async () => {
    const id = await recordBusySession(origin, 'host-1');
    writeFileSync(join(folder, 'a.tar.gz'), await exported(id, 'archive'));
    expect(spawnSync('tar', ['-xzf', 'a.tar.gz'], { cwd: folder }).status).toBe(0);
    expect(readdirSync(join(folder, id)).toSorted()).toEqual(['journal.jsonl', 'manifest.json']);
    expect(spawnSync('tar', ['-czf', 'b.tar.gz', '--format=ustar', id], { cwd: folder }).status).toBe(0);
    expect(await importSession(other.store.library, join(folder, 'b.tar.gz'))).toMatchObject({ ok: true });
    expect(filesOf(other, id)).toEqual(filesOf(origin, id));
  });
});

describe('a hostile file', () => {
  /** An archive by the system tar of whatever lies in the folder `host-1`. */
  function packed(make: (inside: string) => void, words: readonly string[] = ['host-1']): Buffer {
    const inside = join(folder, 'host-1');
    mkdirSync(inside, { recursive: true });
    make(inside);
    const made = spawnSync('tar', ['-czPf', 'x.tar.gz', '--format=ustar', ...words], { cwd: folder, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    return readFileSync(join(folder, 'x.tar.gz'));
  }

  it.each<[string, (inside: string) => void, (readonly string[])?]>([
    ['a link', (inside) => symlinkSync('/etc/passwd', join(inside, 'manifest.json'))],
    ['a stranger', (inside) => writeFileSync(join(inside, 'extra'), '')],
    ['nothing', () => {}],
    [
      'a path upwards',
      (inside) => writeFileSync(join(inside, 'manifest.json'), '{}'),
      ['--transform=s#^#../#', 'host-1/manifest.json'],
    ],
    ['a path from the root', (inside) => writeFileSync(join(inside, 'manifest.json'), '{}'), ['/etc/hostname']],
  ])('with %s is refused, and nothing of it stays', async (_, make, words) => {
    const archive = packed(make, words);
    const answer = await importBytes(archive);
    expect(answer).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
    expectUntouched();
  });

  it('that unpacks to zeros without an end is refused at its first block', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    expect(await importBytes(bomb)).toMatchObject({ ok: false, error: { message: expect.stringContaining('empty') } });
    const head = (await exported(await recordBusySession(origin, 'host-1'), 'jsonl')).toString().split('\n')[0];
    const zeros = Buffer.concat([Buffer.from(`${head}\n`), Buffer.alloc(80 * 1024 * 1024)]);
    expect(await importBytes(zeros)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('a line longer than') },
    });
    expectUntouched();
  });

  it('with another id than a folder may have is refused', async () => {
    const text = (await exported(await recordBusySession(origin, 'host-1'), 'jsonl')).toString();
    for (const id of ['../host-1', '.hidden', 'a/b', '', 'x'.repeat(200)]) {
      const answer = await importBytes(text.replace('"id":"host-1"', `"id":${JSON.stringify(id)}`));
      expect(answer).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
    }
    expectUntouched();
  });

  it('of a newer format is refused, naming both versions', async () => {
    const text = (await exported(await recordBusySession(origin, 'host-1'), 'jsonl')).toString();
    const answer = await importBytes(text.replaceAll('"formatVersion":1', '"formatVersion":3'));
    expect(answer).toMatchObject({ ok: false, error: { message: expect.stringMatching(/version 3.*up to 1/) } });
  });

  it('cut off anywhere is refused', async () => {
    const id = await recordBusySession(origin, 'host-1');
    for (const format of ['archive', 'jsonl'] as const) {
      const whole = await exported(id, format);
      for (let cut = 0; cut < whole.length - 1; cut += Math.ceil(whole.length / 25)) {
        expect(await importBytes(whole.subarray(0, cut))).toMatchObject({ ok: false });
      }
    }
    expectUntouched();
  });

  it(
    `is either refused, with nothing left, or is a session that can be read: ${mutationCount} mutations`,
    async () => {
      const id = await recordBusySession(origin, 'host-1');
      const plain = { jsonl: await exported(id, 'jsonl'), tar: gunzipSync(await exported(id, 'archive')) };
      const packedTar = gzipSync(plain.tar);
      const mutation = fc.record({
        form: fc.constantFrom<'jsonl' | 'tar' | 'gzip'>('jsonl', 'tar', 'gzip'),
        edits: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        cut: fc.option(fc.nat(), { freq: 4 }),
      });
      await fc.assert(
        fc.asyncProperty(mutation, async ({ form, edits, cut }) => {
          const whole = { jsonl: plain.jsonl, tar: plain.tar, gzip: packedTar }[form];
          let bytes = Buffer.from(whole);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.subarray(0, cut % bytes.length);
          const answer = await importBytes(form === 'tar' ? gzipSync(bytes) : bytes);
          if (!answer.ok) {
            expect(answer.error.kind).toBe('session-unreadable');
            expectUntouched();
            return;
          }
          expect(other.store.library.findReadable(answer.value.id)).toMatchObject({ ok: true });
          expect(other.store.library.remove(answer.value.id)).toMatchObject({ ok: true });
        }),
        { numRuns: mutationCount },
      );
    },
    30_000 + mutationCount * 100,
  );
});
