/**
 * What modules of a Debian kernel are built with, in one folder: its headers and kbuild, coccinelle and pahole, all from
 * Debian's packages, unpacked and not installed; and the kernel's own image, from which pahole takes the types.
 */
import { readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '@faultline/shared';
import { cached, cachedPath, digestOf } from './cache.ts';
import { type CommandOptions, run } from './command.ts';
import { type Unpacked, unpackNamed } from './debian.ts';
import type { LabError, TellStage } from './lab-error.ts';

/** Kernel headers that build, with the programs beside them. */
export type KernelBuild = {
  /** Folder for `make -C`. */
  readonly headers: string;
  /** Version of the packages: that of the kernel's source too. */
  readonly version: string;
  readonly spatch: string;
  readonly pahole: string;
  /** Where spatch and pahole find what they need. */
  readonly env: NonNullable<CommandOptions['env']>;
};

/** A kernel to build for: its release, its uncompressed image, and the suite it came from. */
export type BuiltFor = { readonly release: string; readonly vmlinux: string; readonly suite: string | undefined };

const programs = ['coccinelle', 'libpcre3', 'pahole', 'libbpf1', 'libdw1', 'libelf1'] as const;

/**
 * Fetches what is missing and puts it together, once for a kernel. Error: the kernel is no longer in the archives, or never
 * was.
 */
export async function prepareKernelBuild(
  kernel: BuiltFor,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<KernelBuild, LabError>> {
  const headersName = `linux-headers-${kernel.release}`;
  const key = digestOf([kernel.vmlinux]);
  const tree = await cached('builds', key, async (draft) => {
    const unpacked = await unpackAll(headersName, kernel.suite, tell, signal);
    if (!unpacked.ok) return unpacked;
    tell({ stage: `putting the headers of ${kernel.release} together` });
    for (const folder of unpacked.value.folders) {
      const copied = await run('cp', ['-a', `${folder}/.`, draft], { signal });
      if (!copied.ok) return copied;
    }
    const headers = join(draft, 'usr/src', headersName);
    // The headers' Makefile includes the common one by where it would be installed.
    const makefile = await readFile(join(headers, 'Makefile'), 'utf8');
    await writeFile(
      join(headers, 'Makefile'),
      makefile.replaceAll('/usr/src/', `${cachedPath('builds', key)}/usr/src/`),
    );
    await rm(join(headers, 'vmlinux'), { force: true });
    await symlink(kernel.vmlinux, join(headers, 'vmlinux'));
    await writeFile(join(draft, 'version'), unpacked.value.version);
    return ok(undefined);
  });
  if (!tree.ok) return tree;
  const root = tree.value;
  return ok({
    headers: join(root, 'usr/src', headersName),
    version: await readFile(join(root, 'version'), 'utf8'),
    spatch: join(root, 'usr/bin/spatch'),
    pahole: join(root, 'usr/bin/pahole'),
    env: {
      COCCINELLE_HOME: join(root, 'usr/lib/coccinelle'),
      LD_LIBRARY_PATH: ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((path) => join(root, path)).join(':'),
    },
  });
}

/** All packages, each in its folder, and the version of the headers. */
async function unpackAll(
  headersName: string,
  suite: string | undefined,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<{ readonly folders: readonly string[]; readonly version: string }, LabError>> {
  const headers = await unpack(headersName, suite, tell, signal);
  if (!headers.ok) return headers;
  const beside = await namesBeside(join(headers.value.folder, 'usr/src', headersName));
  if (!beside.ok) return beside;
  const folders = [headers.value.folder];
  for (const [name, from] of [
    ...beside.value.map((one) => [one, suite] as const),
    ...programs.map((one) => [one, undefined] as const),
  ]) {
    const unpacked = await unpack(name, from, tell, signal);
    if (!unpacked.ok) return unpacked;
    folders.push(unpacked.value.folder);
  }
  return ok({ folders, version: headers.value.version });
}

async function unpack(
  name: string,
  suite: string | undefined,
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<Unpacked, LabError>> {
  const unpacked = await unpackNamed(name, suite, tell, signal);
  return !unpacked.ok && unpacked.error.kind === 'unknown' ? err(gone(name)) : unpacked;
}

/** The packages the headers refer to: those common to all flavours, and kbuild. */
async function namesBeside(headers: string): Promise<Result<readonly string[], LabError>> {
  const makefile = await readFile(join(headers, 'Makefile'), 'utf8').catch(() => '');
  const common = /\/usr\/src\/(linux-headers-[^/\s]+)\/Makefile/.exec(makefile)?.[1];
  const scripts = await readlink(join(headers, 'scripts')).catch(() => '');
  const kbuild = /(linux-kbuild-[^/]+)\/scripts$/.exec(scripts)?.[1];
  if (common !== undefined && kbuild !== undefined) return ok([common, kbuild]);
  return err({
    kind: 'broken',
    message: `${basename(headers)} is laid out in a way the lab does not know`,
    remedy: 'Build the module yourself, and give the folder with its .ko instead of a patch.',
  });
}

function gone(name: string): LabError {
  return {
    kind: 'unknown',
    message: `the package ${name} is not in this machine's Debian archives`,
    remedy:
      'The archives keep the newest kernel only: faultline lab clean --all forgets the older one that the lab took before.',
  };
}
