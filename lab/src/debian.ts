/**
 * Debian packages for the lab, unpacked into its own folder: nothing is installed, and the machine's apt set-up is read
 * but never touched (lists, cache and sources are the lab's own, derived from the machine's).
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aptListsAgeMaxMs, err, ok, type Result } from '@faultline/shared';
import { cached, cacheFolder, digestOf } from './cache.ts';
import { run } from './command.ts';
import type { LabError, TellStage } from './lab-error.ts';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A package by name, or the newest of those whose names fit a pattern; from another suite where one is given. */
export type DebianPackage = { readonly pattern: string; readonly suite?: string | undefined };

/** The folder into which the package is unpacked, and its full name and version. */
export type Unpacked = { readonly folder: string; readonly name: string; readonly version: string };

type Wanted = { readonly uri: string; readonly file: string; readonly bytes: number; readonly digest: string };

/** Downloads and unpacks the package, unless this very version is there already. */
export async function unpackPackage(
  wanted: DebianPackage,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Unpacked, LabError>> {
  const apt = await prepareApt(wanted.suite, tell, signal);
  if (!apt.ok) return apt;
  const name = await newestName(apt.value, wanted.pattern);
  if (!name.ok) return name;
  const found = await whereIs(apt.value, name.value);
  if (!found.ok) return found;
  const version = found.value.file.split('_')[1]?.replaceAll('%3a', ':') ?? '';
  const folder = await cached('packages', `${name.value}_${found.value.digest}`, async (draft) => {
    const downloads = join(draft, 'download');
    await mkdir(downloads);
    const stop = watchDownload(downloads, found.value, name.value, tell);
    const downloaded = await run('apt-get', [...apt.value, 'download', name.value], { cwd: downloads, signal });
    stop();
    if (!downloaded.ok) return downloaded;
    const [file] = await readdir(downloads);
    if (file === undefined) return err(broken(`apt-get downloaded no file for ${name.value}`));
    tell({ stage: `unpacking ${name.value}` });
    const unpacked = await run('dpkg', ['-x', join(downloads, file), join(draft, 'root')], { signal });
    if (!unpacked.ok) return unpacked;
    return run('rm', ['-r', downloads]).then((removed) => (removed.ok ? ok(undefined) : removed));
  });
  return folder.ok ? ok({ folder: join(folder.value, 'root'), name: name.value, version }) : folder;
}

/** The package of this very name, from a suite where one is given. */
export function unpackNamed(
  name: string,
  suite: string | undefined,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Unpacked, LabError>> {
  return unpackPackage({ pattern: name.replaceAll(/[.+]/g, String.raw`\$&`), suite }, tell, signal);
}

/** Words for apt that make it use the lab's own lists; fetches them when there are none, or old ones. */
async function prepareApt(
  suite: string | undefined,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<readonly string[], LabError>> {
  const sources = await deriveSources(suite);
  if (!sources.ok) return sources;
  const folder = join(cacheFolder(), 'apt', digestOf([sources.value]));
  const sourcesFile = join(folder, 'sources.list');
  const stamp = join(folder, 'updated');
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(sourcesFile, sources.value);
  const words = [
    ['Dir::Etc::sourcelist', sourcesFile],
    ['Dir::Etc::sourceparts', '/dev/null'],
    ['Dir::State::lists', join(folder, 'lists')],
    ['Dir::Cache', join(folder, 'cache')],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([name = '', value = '']) => ['-o', `${name}=${value}`]);
  const updated = await stat(stamp).catch(() => undefined);
  if (updated === undefined || Date.now() - updated.mtimeMs > aptListsAgeMaxMs) {
    tell({ stage: 'fetching package lists' });
    const update = await run('apt-get', [...words, 'update'], { signal });
    if (update.ok) await writeFile(stamp, '');
    else if (updated === undefined) return update; // old lists are better than none
  }
  return ok(words);
}

/** The Debian archives that this machine uses, with its own release's suites or the one asked for. */
async function deriveSources(suite: string | undefined): Promise<Result<string, LabError>> {
  const release = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8').catch(() => ''))?.[1];
  const uris = await run('apt-get', ['update', '--print-uris']);
  if (!uris.ok) return uris;
  const trust = existsSync(keyring) ? `[signed-by=${keyring}] ` : '';
  const lines = [...uris.value.matchAll(/^'(\S+)\/dists\/([a-z-]+)\/(?:In)?Release'/gm)]
    .map(([, uri = '', from = '']) => ({ uri, from }))
    .filter(
      ({ from }) => release !== undefined && [release, `${release}-security`, `${release}-updates`].includes(from),
    )
    .filter(({ from }) => suite === undefined || from === release)
    .map(({ uri, from }) => `deb ${trust}${uri}/ ${suite ?? from} main`);
  if (lines.length > 0) return ok(`${[...new Set(lines)].join('\n')}\n`);
  return err(
    broken(
      `this machine's apt knows no Debian archive${release === undefined ? '' : ` for ${release}`}`,
      'The lab takes its kernels from Debian packages: use a Debian machine, or give a kernel folder instead.',
    ),
  );
}

/** The newest package whose whole name fits; versions in names are compared part by part. */
async function newestName(apt: readonly string[], pattern: string): Promise<Result<string, LabError>> {
  const names = await run('apt-cache', [...apt, 'pkgnames', pattern.replace(/[\\[(.*+?^$].*$/, '')]);
  if (!names.ok) return names;
  const fitting = names.value.split('\n').filter((name) => new RegExp(`^(?:${pattern})$`).test(name));
  const newest = fitting.toSorted((left, right) => left.localeCompare(right, 'en', { numeric: true })).at(-1);
  if (newest !== undefined) return ok(newest);
  return err({
    kind: 'unknown',
    message: `no package ${pattern} in this machine's Debian archives`,
    remedy:
      'faultline lab list says which kernels can be had; kernels of other suites need `suite` in lab/kernels.json.',
  });
}

async function whereIs(apt: readonly string[], name: string): Promise<Result<Wanted, LabError>> {
  const printed = await run('apt-get', [...apt, 'download', '--print-uris', name]);
  if (!printed.ok) return printed;
  const match = /^'(\S+)' (\S+) (\d+) (?:\w+:)?(\w*)/m.exec(printed.value);
  if (match === null) return err(broken(`apt-get does not say where ${name} is`));
  const [, uri = '', file = '', bytes = '0', digest = ''] = match;
  return ok({ uri, file, bytes: Number(bytes), digest: digestOf([file, digest]) });
}

/** Says how much has been downloaded, by looking at the growing file. */
function watchDownload(folder: string, { bytes }: Wanted, name: string, tell: TellStage): () => void {
  const stage = `downloading ${name}`;
  tell({ stage, doneBytes: 0, totalBytes: bytes });
  const timer = setInterval(() => {
    void readdir(folder)
      .then(([file]) => (file === undefined ? undefined : stat(join(folder, file))))
      .then((facts) => facts && tell({ stage, doneBytes: Math.min(facts.size, bytes), totalBytes: bytes }))
      .catch(() => undefined);
  }, 250);
  return () => clearInterval(timer);
}

function broken(
  message: string,
  remedy = 'Try again; if it stays, run apt-get update and look at what it says.',
): LabError {
  return { kind: 'broken', message, remedy };
}
