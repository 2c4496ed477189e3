/** Words of a person into recorded sessions: one by its id, many by what they are of, or a folder. */
import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compareRunsMax, err, ok, type Result, type SessionManifest, sessionFiles } from '@faultline/shared';
import { isLive, type Library, type LibraryEntry } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { readSessionManifest } from '../sessions/session-folder.ts';
import { buildOf, type RecordedFolder } from './recorded-run.ts';

/** What a selection may ask for, and whether a session is of that. */
const conditions: Readonly<Record<string, (manifest: SessionManifest, word: string) => boolean>> = {
  build: (manifest, word) => buildOf(manifest) === word || isRelease(manifest.target.identity?.release, word),
  workload: ({ setup }, word) => setup?.workload?.name === word,
  series: ({ setup }, word) => setup?.series === word,
  label: ({ label }, word) => label === word,
};

/** Which words there are, for a help text. */
export const conditionNames: readonly string[] = Object.keys(conditions);

/** `6.1` is 6.1.0-42-amd64 and not 6.12. */
function isRelease(release: string | undefined, word: string): boolean {
  return release !== undefined && (release === word || ['.', '-', '+'].some((next) => release.startsWith(word + next)));
}

/**
 * The sessions of some words, each once, the oldest first. A word is a session's id (or its beginning, name, label, `last`); a selection
 * such as `build:6.1,workload:dma-map`; or a folder (with a slash): of one session, or of many.
 * One that is still being recorded takes part where it is named, as far as it has come.
 * Error: nothing fits a word, one can't be read, one in a folder is still being recorded, or there are too many.
 */
export function chooseRuns(words: readonly string[], library: Library): Result<readonly RecordedFolder[], Refusal> {
  const chosen = new Map<string, RecordedFolder>();
  for (const word of words) {
    const found = foldersOf(word, library);
    if (!found.ok) return found;
    const live = isName(word) ? undefined : found.value.find((one) => isLive(entryOf(one)));
    if (live !== undefined)
      return err(refusal(`session ${live.manifest.id} is still being recorded`, 'Name it by its id, or wait.'));
    for (const one of found.value) chosen.set(one.folder, one);
  }
  if (chosen.size > compareRunsMax)
    return err(
      refusal(`${chosen.size} sessions are more than a comparison takes`, `Choose at most ${compareRunsMax}.`),
    );
  return ok([...chosen.values()].toSorted((left, right) => left.manifest.createdAtMs - right.manifest.createdAtMs));
}

function foldersOf(word: string, library: Library): Result<readonly RecordedFolder[], Refusal> {
  // A selection first: the build of a selection may be a folder's name.
  if (isSelection(word)) return selected(word, library);
  if (word.includes('/')) return inFolder(resolve(word));
  const found = library.findReadable(word);
  return found.ok ? ok([{ folder: found.value.folder, manifest: found.value.manifest }]) : found;
}

function isSelection(word: string): boolean {
  return /^[a-z]+:/.test(word);
}

/** Whether a word is a session's own: whoever names one that is still recorded wants it as far as it has come. */
function isName(word: string): boolean {
  return !isSelection(word) && !word.includes('/');
}

/**
 * Closed sessions that fit every condition of `build:6.1,workload:touch`. A build that is recorded under this very name is that one alone: the
 * releases of 6.1-rt begin with 6.1 too.
 */
function selected(word: string, library: Library): Result<readonly RecordedFolder[], Refusal> {
  const closed = library.list().flatMap((entry) => {
    const { folder, manifest } = entry;
    return manifest === undefined || isLive(entry) ? [] : [{ folder, manifest }];
  });
  const asked: { readonly fits: (manifest: SessionManifest) => boolean }[] = [];
  for (const part of word.split(',')) {
    const name = part.slice(0, Math.max(0, part.indexOf(':')));
    const value = part.slice(part.indexOf(':') + 1);
    const condition = Object.hasOwn(conditions, name) ? conditions[name] : undefined;
    if (condition === undefined || value === '') {
      const remedy = `A selection is made of ${conditionNames.join(', ')}: build:6.1,workload:dma-map`;
      return err(refusal(`${JSON.stringify(part)} selects nothing`, remedy));
    }
    const isName = name === 'build' && closed.some(({ manifest }) => buildOf(manifest) === value);
    asked.push({ fits: (manifest) => (isName ? buildOf(manifest) === value : condition(manifest, value)) });
  }
  const found = closed.filter(({ manifest }) => asked.every(({ fits }) => fits(manifest)));
  if (found.length > 0) return ok(found);
  return err(
    refusal(`no closed session of ${library.folder} is ${word}`, 'faultline sessions list shows what there is.'),
  );
}

/** The session that a folder is, or those in it. */
function inFolder(folder: string): Result<readonly RecordedFolder[], Refusal> {
  if (statSync(join(folder, sessionFiles.manifest), { throwIfNoEntry: false }) !== undefined) {
    const manifest = readSessionManifest(folder);
    if (manifest.ok) return ok([{ folder, manifest: manifest.value }]);
    return err(refusal(`${folder}: ${manifest.error.message}`, 'Nothing was changed.'));
  }
  const names = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
  const found: RecordedFolder[] = [];
  for (const name of names) {
    const manifest = readSessionManifest(join(folder, name));
    if (manifest.ok) found.push({ folder: join(folder, name), manifest: manifest.value });
    else if (manifest.error.kind !== 'missing' && !name.startsWith('.') && manifest.error.kind !== 'not-readable')
      return err(refusal(`${join(folder, name)}: ${manifest.error.message}`, 'Nothing was changed.'));
  }
  if (found.length > 0) return ok(found);
  return err(
    refusal(`there is no recorded session in ${folder}`, 'Give the folder of a session, or one that holds some.'),
  );
}

function entryOf({ folder, manifest }: RecordedFolder): LibraryEntry {
  return { id: manifest.id, folder, bytes: 0, manifest };
}

function refusal(message: string, remedy: string): Refusal {
  return { kind: 'unknown-session', message, remedy };
}
