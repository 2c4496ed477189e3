import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTempStore, type TempStore } from '../../test/fakes/temp-store.ts';
import { exportJsonl } from '../exports/jsonl.ts';
import { openExportSource } from './export-source.ts';
import { Library, type ReadableEntry } from './library.ts';
import { readFigures } from './recorded-figures.ts';
import { parseSessionManifest } from './session-folder.ts';

const kept = fileURLToPath(new URL('../../test/fixtures/format-1', import.meta.url));

let temp: TempStore;
let library: Library;
let interrupted: readonly string[];

beforeEach(async () => {
  temp = await openTempStore();
  for (const id of ['locks', 'page-faults', 'killed'])
    cpSync(join(kept, id), join(temp.folder, id), { recursive: true });
  const opened = await Library.open(temp.folder);
  if (!opened.ok) throw new Error(opened.error.message);
  ({ library, interrupted } = opened.value);
});

afterEach(() => temp[Symbol.asyncDispose]());

function entry(id: string): ReadableEntry {
  const found = library.findReadable(id);
  if (!found.ok) throw new Error(found.error.message);
  return found.value;
}

describe('a session of format version 1', () => {
  it.each([
    ['locks', 'closed', { callCount: 0 }],
    ['page-faults', 'closed', { callCount: 673 }],
    ['killed', 'interrupted', { callCount: 0 }],
  ])('is read as one of today: %s', async (id, state, held) => {
    const { manifest, folder } = entry(id);
    expect(manifest).toMatchObject({ formatVersion: 2, state, held });
    const { figures, end } = await readFigures(join(folder, 'journal.jsonl'));
    expect(end.damage).toBeUndefined();
    expect(figures.held(end.wholeBytes)).toEqual(manifest.held);
    expect(figures.head?.formatVersion).toBe(2);
    expect(interrupted).toEqual(['killed']);
    expect(figures.runs.some(({ cells, callCount }) => cells.length > 0 || callCount > 0)).toBe(true);
  });

  it('is exported as one of today, and its journal stays as it is', async () => {
    const { folder } = entry('page-faults');
    const pieces = await Array.fromAsync(exportJsonl(openExportSource(entry('page-faults'))));
    const text = pieces.map((piece) => (typeof piece === 'string' ? piece : Buffer.from(piece).toString())).join('');
    const first: unknown = JSON.parse(text.slice(0, text.indexOf('\n')));
    expect(first).toMatchObject({ formatVersion: 2, manifest: { formatVersion: 2 } });
    expect(text.slice(text.indexOf('\n') + 1)).toBe(readFileSync(join(folder, 'journal.jsonl'), 'utf8'));
    expect(readFileSync(join(folder, 'journal.jsonl'))).toEqual(readFileSync(join(kept, 'page-faults/journal.jsonl')));
  });

  it('is damaged, not upgraded, where it is not as that version was', () => {
    const old = readFileSync(join(kept, 'locks/manifest.json'), 'utf8');
    expect(parseSessionManifest(old)).toMatchObject({ ok: true });
    expect(parseSessionManifest(old.replace('"state": "closed"', '"state": "ended"'))).toMatchObject({
      ok: false,
      error: { kind: 'damaged' },
    });
  });
});
