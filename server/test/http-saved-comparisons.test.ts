/** Saved comparisons over HTTP, of sessions that were really recorded on 6.1 and 6.12. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ComparisonAnswer, ComparisonAnswerSchema, readAnswer, type SavedComparisonView } from '@faultline/shared';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importSession } from '../src/sessions/import-session.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { openTempStore, type TempStore } from './fakes/temp-store.ts';

let temp: TempStore;
let server: StartedApp;

beforeEach(async () => {
  temp = await openTempStore();
  const { library } = temp.store;
  for (const name of ['6.1-1', '6.1-2', '6.12-1', '6.12-2']) {
    const path = fileURLToPath(new URL(`fixtures/compare/${name}.tar.gz`, import.meta.url));
    const imported = await importSession(library, path);
    if (!imported.ok) throw new Error(imported.error.message);
  }
  server = await startApp({ library });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
});

async function ask(path: string, method = 'GET', body?: object): Promise<Response> {
  return fetch(`${server.url}/api/v1/${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
}

async function save(name: string, baseline: string, candidate: string | string[]): Promise<SavedComparisonView> {
  const answer = await ask('comparisons', 'POST', { name, baseline, candidate });
  expect(answer.status).toBe(200);
  return (await answer.json()) as SavedComparisonView;
}

async function compared(id: string): Promise<ComparisonAnswer> {
  const read = readAnswer(ComparisonAnswerSchema, await (await ask(`compare?saved=${id}`)).json());
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

it('are compared by their id as by their words, whatever was recorded since', async () => {
  const saved = await save('old and new', 'build:6.1', 'build:6.12');
  expect(saved.sides.map(({ title, sessions }) => [title, sessions.map(({ state }) => state)])).toEqual([
    ['6.1', ['here', 'here']],
    ['6.12', ['here', 'here']],
  ]);
  const byWords = await (await ask('compare?baseline=build:6.1&candidate=build:6.12')).json();
  expect(await compared(saved.id)).toEqual(byWords);
  const text = await (await ask(`compare?saved=${saved.id}&format=text`)).text();
  expect(text).toMatch(/^6\.12 against 6\.1: /);
  const heat = await ask(`compare/heat?saved=${saved.id}`);
  expect(await heat.json()).toHaveProperty('heat.peak');
  expect((await ask(`compare/heat?saved=${saved.id}&pick=2`)).status).toBe(400);
});

it('are listed, renamed, annotated and removed', async () => {
  const first = await save('first', 'build:6.1', 'build:6.12');
  const renamed = await (await ask(`comparisons/${first.id}`, 'PATCH', { name: 'the thread' })).json();
  expect(renamed).toMatchObject({ name: 'the thread' });
  await ask(`comparisons/${first.id}/notes`, 'POST', { text: 'era A against D' });
  const list = (await (await ask('comparisons')).json()) as SavedComparisonView[];
  expect(list).toMatchObject([{ id: first.id, name: 'the thread', notes: [{ text: 'era A against D' }] }]);
  expect(await (await ask(`comparisons/${first.id}`, 'DELETE', {})).json()).toEqual({ id: first.id });
  expect((await ask(`comparisons/${first.id}`)).status).toBe(404);
  expect((await ask(`compare?saved=${first.id}`)).status).toBe(404);
});

it('say which session is missing, and which is another one by now; of a side without any that it is gone', async () => {
  const { library } = temp.store;
  const { id, sides } = await save('many', 'build:6.1', ['build:6.12', 'build:6.1']);
  const [old = '', other = ''] = sides[0]?.sessions.map((one) => one.id) ?? [];
  expect(library.remove(old).ok).toBe(true);
  // The same events in other bytes: another recording under this id would differ in more.
  const journal = join(temp.folder, other, 'journal.jsonl');
  await writeFile(journal, (await readFile(journal, 'utf8')).replace('{', '{ '));
  const view = (await (await ask(`comparisons/${id}`)).json()) as SavedComparisonView;
  expect(view.sides[0]?.sessions.map(({ state }) => state)).toEqual(['missing', 'changed']);
  const answer = await (await ask(`compare?saved=${id}&format=text`)).text();
  expect(answer.replaceAll(/\s+/g, ' ')).toContain(`saved comparison: ${old} is no longer in the store and left out`);
  expect(answer.replaceAll(/\s+/g, ' ')).toContain(`${other} is not the one that was compared then`);
  for (const one of sides[1]?.sessions ?? []) library.remove(one.id);
  const gone = await ask(`compare?saved=${id}`);
  expect(gone.status).toBe(404);
  expect(await gone.text()).toContain('no session of 6.12 is in the store any more');
});

it.each<[string, string, object | undefined, number]>([
  ['POST', 'comparisons', { name: 'x', baseline: '/etc', candidate: 'build:6.1' }, 400],
  ['POST', 'comparisons', { name: '', baseline: 'build:6.1', candidate: 'build:6.12' }, 400],
  ['POST', 'comparisons', { name: 'a\u001b[2J', baseline: 'build:6.1', candidate: 'build:6.12' }, 400],
  ['POST', 'comparisons', { name: 'x', baseline: 'build:6.1', candidate: 'build:6.12', id: '0123456789ab' }, 400],
  ['POST', 'comparisons', { name: 'x', baseline: 'build:9', candidate: 'build:6.12' }, 404],
  ['GET', 'comparisons/..%2f..%2fetc', undefined, 400],
  ['GET', 'comparisons/0123456789ab', undefined, 404],
  ['DELETE', 'comparisons/0123456789ab', {}, 404],
  ['POST', 'comparisons/0123456789ab/notes', { text: 'x' }, 404],
  ['GET', 'compare?saved=../../etc', undefined, 400],
  ['GET', 'compare?saved=0123456789ab&baseline=build:6.1', undefined, 400],
])('refuse %s %s %j', async (method, path, body, status) => {
  const answer = await ask(path, method, body);
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining('remedy')]);
});
