/**
 * Builds a module for one of the lab's kernels: a module of the kernel itself, as it is or changed by a semantic patch, or
 * the project's own device. What comes out is kept by the content of everything that went in.
 */
import { copyFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, moduleBuildLinesMax, ok, type Result } from '@faultline/shared';
import { cached, digestOf } from './cache.ts';
import { run } from './command.ts';
import { unpackNamed } from './debian.ts';
import { type BuiltFor, type KernelBuild, prepareKernelBuild } from './kernel-build.ts';
import type { LabError, TellStage } from './lab-error.ts';
import { applyPatch } from './module-patch.ts';

/** Where the patches and the own modules that are shipped lie. */
const shipped = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

type Source =
  | { readonly kind: 'kernel'; readonly folder: string; readonly below: string; readonly objects: readonly string[] }
  | { readonly kind: 'own'; readonly folder: string };

/** The modules that can be built, by the name of the .ko. Of the kernel's, the objects that its Makefile links. */
const sources: Readonly<Record<string, Source>> = {
  'vfio-pci-core': {
    kind: 'kernel',
    folder: 'drivers/vfio',
    below: 'pci',
    objects: ['vfio_pci_core', 'vfio_pci_intrs', 'vfio_pci_rdwr', 'vfio_pci_config'],
  },
  'faultline-device': { kind: 'own', folder: 'modules' },
};

/** What to build: a module, and the patch over it; without one it is rebuilt as it is. */
export type ModuleWanted = { readonly module: string; readonly patch: string | undefined };

/** Modules that take the place of the kernel's own, or are loaded beside them. */
export type OwnModules = {
  /** Name with underscores → file. */
  readonly files: ReadonlyMap<string, string>;
  /** What distinguishes this build from its base: module, patch and digests, for people and for records. */
  readonly title: string;
  readonly key: string;
};

/** Builds it, or takes it from the cache. Error: see applyPatch; or the compiler refuses it, with what it said. */
export async function buildModule(
  wanted: ModuleWanted,
  kernel: BuiltFor,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<OwnModules, LabError>> {
  const source = sources[wanted.module];
  if (source === undefined) {
    const message = `the lab cannot build a module ${JSON.stringify(wanted.module)}`;
    return err({ kind: 'unknown', message, remedy: `It can build: ${Object.keys(sources).join(', ')}.` });
  }
  const patchFile = patchFileOf(wanted.patch);
  const patch = patchFile === undefined ? '' : await readFile(patchFile).catch(() => undefined);
  if (patch === undefined) {
    return err({ kind: 'unknown', message: `there is no patch ${wanted.patch}`, remedy: 'Give a .cocci file.' });
  }
  // The kernel's image stands for its headers and its source, which are of its very version.
  const key = digestOf([kernel.vmlinux, wanted.module, patch, ...(await keyOfSource(source))]);
  const built = await cached('modules', key, async (draft) => {
    const build = await prepareKernelBuild(kernel, tell, signal);
    if (!build.ok) return build;
    const folder = await fetchSource(source, kernel, build.value, tell, signal);
    if (!folder.ok) return folder;
    tell({
      stage: `building ${[wanted.module, ...(patchFile === undefined ? [] : [basename(patchFile)])].join(' with ')}`,
    });
    await cp(folder.value, join(draft, 'source'), { recursive: true });
    const at = source.kind === 'kernel' ? join(draft, 'source', source.below) : join(draft, 'source');
    if (patchFile !== undefined) {
      const names = source.kind === 'kernel' ? source.objects : [wanted.module];
      const patched = await applyPatch(
        patchFile,
        at,
        names.map((name) => `${name}.c`),
        build.value,
      );
      if (!patched.ok) return patched;
    }
    await writeFile(join(at, 'Kbuild'), kbuildOf(wanted.module, source));
    const made = await make(wanted.module, at, build.value, signal);
    if (!made.ok) return made;
    await copyFile(join(at, `${wanted.module}.ko`), join(draft, `${wanted.module}.ko`));
    return run('rm', ['-r', join(draft, 'source')]).then((removed) => (removed.ok ? ok(undefined) : removed));
  });
  if (!built.ok) return built;
  const how = patchFile === undefined ? 'as it is' : `with ${basename(patchFile)} ${digestOf([patch]).slice(0, 8)}`;
  return ok({
    files: new Map([[wanted.module.replaceAll('-', '_'), join(built.value, `${wanted.module}.ko`)]]),
    title: `${wanted.module} ${source.kind === 'own' ? digestOf([key]).slice(0, 8) : how}`,
    key,
  });
}

/** The .ko files of a folder: built elsewhere for this kernel. Error: there are none. */
export async function readModules(folder: string): Promise<Result<OwnModules, LabError>> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.ko')).toSorted();
  if (names.length === 0) {
    return err({
      kind: 'unknown',
      message: `${folder} holds no .ko`,
      remedy: 'Give the folder of a module that is built.',
    });
  }
  const digests = await Promise.all(names.map(async (name) => digestOf([await readFile(join(folder, name))])));
  return ok({
    files: new Map(names.map((name) => [name.slice(0, -3).replaceAll('-', '_'), join(folder, name)])),
    title: names.map((name, at) => `${name} ${(digests[at] ?? '').slice(0, 8)}`).join(', '),
    key: digestOf([...names, ...digests]),
  });
}

/** A patch by its place: absolute, or the name of one that is shipped. */
function patchFileOf(patch: string | undefined): string | undefined {
  if (patch === undefined || isAbsolute(patch)) return patch;
  return shipped(`variants/${patch}`);
}

/** The folder with the module's source, and that of its neighbours. */
async function fetchSource(
  source: Source,
  { release, suite, vmlinux }: BuiltFor,
  { version }: KernelBuild,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<string, LabError>> {
  if (source.kind === 'own') return ok(shipped(source.folder));
  const series = /^\d+\.\d+/.exec(release)?.[0] ?? release;
  const name = `linux-source-${series}`;
  const folder = await cached('sources', digestOf([vmlinux, source.folder]), async (draft) => {
    const unpacked = await unpackNamed(name, suite, tell, signal);
    if (!unpacked.ok) return unpacked;
    if (unpacked.value.version !== version) {
      return err({
        kind: 'unknown',
        message: `the source of Linux ${series} is of version ${unpacked.value.version}, the kernel's headers of ${version}`,
        remedy: 'faultline lab clean --all makes the lab take the newest kernel.',
      });
    }
    tell({ stage: `taking ${source.folder} out of the source` });
    const archive = join(unpacked.value.folder, 'usr/src', `${name}.tar.xz`);
    const words = ['-C', draft, '--strip-components=1', '-xf', archive, `${name}/${source.folder}`];
    const taken = await run('tar', words, { signal });
    return taken.ok ? ok(undefined) : taken;
  });
  return folder.ok ? ok(join(folder.value, source.folder)) : folder;
}

/** What decides about the source besides its kernel: which parts of it, or an own module's text. */
async function keyOfSource(source: Source): Promise<readonly (string | Uint8Array)[]> {
  if (source.kind === 'kernel') return [source.folder, ...source.objects];
  const folder = shipped(source.folder);
  const names = (await readdir(folder)).toSorted();
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}

function kbuildOf(module: string, source: Source): string {
  const objects =
    source.kind === 'kernel' ? [`${module}-y := ${source.objects.map((one) => `${one}.o`).join(' ')}`] : [];
  return [...objects, `obj-m := ${module}.o`, ''].join('\n');
}

/** Makes the .ko, with types for bpftrace and without what only debuggers read. */
async function make(
  module: string,
  folder: string,
  { headers, pahole, env }: KernelBuild,
  signal: AbortSignal | undefined,
): Promise<Result<void, LabError>> {
  // resolve_btfids is not in every kbuild package; modules of these kernels name no kernel functions it would resolve.
  const words = ['-s', '-C', headers, `M=${folder}`, `PAHOLE=${pahole}`, 'RESOLVE_BTFIDS=true', 'modules'];
  const made = await run('make', words, { env, signal, saidLinesMax: moduleBuildLinesMax });
  if (!made.ok) {
    if (made.error.kind === 'stopped' || /not installed/.test(made.error.message)) return made;
    const message = `${module} does not compile: ${made.error.message.replaceAll(`${folder}/`, '')}`;
    return err({ kind: 'unknown', message, remedy: 'What the compiler said is above; correct the patch.' });
  }
  const stripped = await run('strip', ['-g', join(folder, `${module}.ko`)]);
  return stripped.ok ? ok(undefined) : stripped;
}
