import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { savedComparisonBytesMax, savedComparisonNotesMax, savedComparisonsMax } from '@faultline/shared';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOfJournal } from './journal-digest.ts';
import { SavedComparisons, type ToSave } from './saved-comparisons.ts';

let store: string;

beforeEach(async () => {
  store = await mkdtemp(join(tmpdir(), 'faultline-saved-'));
});

afterEach(() => rm(store, { recursive: true }));

async function session(id: string, journal: string): Promise<ToSave['sides'][number]['folders'][number]> {
  const folder = join(store, id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'journal.jsonl'), journal);
  return { folder, manifest: { id, state: 'closed' } };
}

async function toSave(name = 'six ways'): Promise<ToSave> {
  return {
    name,
    sides: [
      { title: '6.1', folders: [await session('a', 'one')] },
      { title: '6.12', folders: [await session('b', 'two')] },
    ],
    marginShare: 0.05,
  };
}

async function savedId(saved: SavedComparisons): Promise<string> {
  const made = saved.save(await toSave(), store, 7);
  if (!made.ok) throw new Error(made.error.message);
  return made.value.id;
}

async function put(id: string, text: string): Promise<void> {
  await writeFile(join(store, '.comparisons', `${id}.json`), text);
}

describe('saved comparisons', () => {
  it('come back as they were, from another process too, with names and notes', async () => {
    const id = await savedId(new SavedComparisons(store));
    const again = new SavedComparisons(store);
    again.rename(id, 'six ways, once more');
    again.annotate(id, { atMs: 8, text: 'v1 corrupts memory' });
    expect(new SavedComparisons(store).read(id)).toMatchObject({
      ok: true,
      value: {
        ...{ id, name: 'six ways, once more', createdAtMs: 7, marginShare: 0.05 },
        notes: [{ atMs: 8, text: 'v1 corrupts memory' }],
        sides: [
          { title: '6.1', sessions: [{ id: 'a', digest: digestOfJournal(join(store, 'a')) }] },
          { title: '6.12', sessions: [{ id: 'b' }] },
        ],
      },
    });
    expect(again.remove(id)).toEqual({ ok: true, value: id });
    expect(again.list()).toEqual([]);
    expect(again.remove(id).ok).toBe(false);
    // Nothing half-written stays.
    expect(await readdir(join(store, '.comparisons'))).toEqual([]);
  });

  it('refuse a session of elsewhere, whose id would mean nothing later', async () => {
    const [first, second] = (await toSave()).sides;
    if (first === undefined || second === undefined) throw new Error('two sides');
    const strange = {
      ...second,
      folders: [{ folder: '/elsewhere/b', manifest: { id: 'b', state: 'closed' } as const }],
    };
    const refused = new SavedComparisons(store).save({ name: 'x', sides: [first, strange] }, store, 7);
    expect(refused).toMatchObject({ ok: false, error: { message: 'session b is not in the store' } });
  });

  it('refuse a session that is still recorded: it is another one tomorrow', async () => {
    const [first, second] = (await toSave()).sides;
    if (first === undefined || second === undefined) throw new Error('two sides');
    const folders = second.folders.map((one) => ({ ...one, manifest: { ...one.manifest, state: 'live' as const } }));
    const refused = new SavedComparisons(store).save({ name: 'x', sides: [first, { ...second, folders }] }, store, 7);
    expect(refused).toMatchObject({ ok: false, error: { message: 'session b is still being recorded' } });
  });

  it('refuse names and notes that no file may hold, and more notes than somebody reads', async () => {
    const saved = new SavedComparisons(store);
    const id = await savedId(saved);
    expect(saved.rename(id, 'a\u001b[2Jb').ok).toBe(false);
    expect(saved.rename(id, '').ok).toBe(false);
    for (let at = 0; at < savedComparisonNotesMax; at += 1)
      expect(saved.annotate(id, { atMs: at, text: 'n' }).ok).toBe(true);
    expect(saved.annotate(id, { atMs: 1, text: 'one too many' }).ok).toBe(false);
    expect(saved.read(id)).toMatchObject({ ok: true, value: { name: 'six ways' } });
  });

  it.each<[string, (good: string) => string, string]>([
    ['no JSON', () => '{', 'not JSON'],
    ['another id inside', (good) => good.replace(/"id": "[0-9a-f]{12}"/, '"id": "000000000000"'), 'as it should be'],
    ['a path for a session', (good) => good.replace('"id": "a"', '"id": "../../etc"'), 'as it should be'],
    ['a field of its own', (good) => good.replace('"name"', '"evil": 1, "name"'), 'as it should be'],
    ['one side', (good) => JSON.stringify({ ...(JSON.parse(good) as object), sides: [] }), 'as it should be'],
    ['a newer version', (good) => good.replace('"formatVersion": 1', '"formatVersion": 2'), 'newer Faultline'],
    ['megabytes', (good) => good + ' '.repeat(savedComparisonBytesMax), 'too large'],
  ])('are listed with the reason where a file has %s, and can be removed', async (_, spoil, why) => {
    const saved = new SavedComparisons(store);
    const id = await savedId(saved);
    await put(id, spoil(await readFile(join(store, '.comparisons', `${id}.json`), 'utf8')));
    expect(saved.read(id)).toMatchObject({ ok: false, error: { kind: 'session-unreadable' } });
    const [entry] = saved.list();
    expect(entry !== undefined && 'problem' in entry ? entry.problem : '').toContain(why);
    expect(saved.annotate(id, { atMs: 1, text: 'x' }).ok).toBe(false);
    expect(saved.remove(id).ok).toBe(true);
  });

  it.each(['../a', '', 'x'.repeat(12), '0123456789ab/..', '0123456789AB'])('have no file for the id %j', async (id) => {
    await savedId(new SavedComparisons(store));
    expect(new SavedComparisons(store).read(id)).toMatchObject({ ok: false, error: { kind: 'unknown-session' } });
    expect(new SavedComparisons(store).remove(id).ok).toBe(false);
  });

  it('are no more than a person reads', async () => {
    const saved = new SavedComparisons(store);
    await savedId(saved);
    for (let at = 1; at < savedComparisonsMax; at += 1) await put(at.toString(16).padStart(12, '0'), '{}');
    expect(saved.save(await toSave(), store, 7).ok).toBe(false);
  });
});

it('a digest tells another journal of the same length, at its beginning and at its end', async () => {
  const long = (first: string, last: string): string => `${first}${'x'.repeat(300_000)}${last}`;
  const digests = [];
  for (const [at, journal] of [long('a', 'z'), long('b', 'z'), long('a', 'y'), long('a', 'zz')].entries())
    digests.push(digestOfJournal((await session(`s${String(at)}`, journal)).folder));
  expect(new Set(digests).size).toBe(4);
});
