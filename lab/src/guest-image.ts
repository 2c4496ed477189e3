/** What a guest boots from: an initramfs with busybox, agent, workload and modules, and a disk with bpftrace. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '@faultline/shared';
import { cached, digestOf } from './cache.ts';
import { run } from './command.ts';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { unpackPackage } from './debian.ts';
import type { KernelFiles } from './kernel-image.ts';
import type { LabError, TellStage } from './lab-error.ts';
import { moduleClosure } from './modules.ts';

const here = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Programs for the guest; the key changes with their sources. */
export type GuestPrograms = {
  readonly agent: string;
  readonly workloads: readonly { readonly name: string; readonly file: string }[];
  readonly key: string;
};

/** Builds them from the C of this project: static, so that they run in an empty guest. */
export async function buildGuestPrograms(tell: TellStage): Promise<Result<GuestPrograms, LabError>> {
  const programs = [
    { name: 'agent', source: here('guest/agent.c'), headers: [here('guest/wire.h')] },
    ...['vfio-load', 'vfio-edge'].map((name) => ({
      name,
      source: here(`workload/${name}.c`),
      headers: [here('workload/vfio-device.h')],
    })),
  ];
  const texts = programs.flatMap(({ source, headers }) => [source, ...headers]);
  const key = digestOf(await Promise.all(texts.map((source) => readFile(source))));
  const folder = await cached('programs', key, async (draft) => {
    tell({ stage: 'building the guest’s programs' });
    for (const { source, name } of programs) {
      const built = await run('gcc', ['-O2', '-static', '-pthread', '-o', join(draft, name), source]);
      if (!built.ok) return built;
    }
    return ok(undefined);
  });
  if (!folder.ok) return folder;
  const [agent, ...workloads] = programs.map(({ name }) => ({ name, file: join(folder.value, name) }));
  return ok({ agent: agent?.file ?? '', workloads, key });
}

/** A program out of a Debian package, unpacked and not installed; remembered once it is here. */
export async function programOfPackage(
  program: { readonly packageName: string; readonly places: readonly string[] },
  tell: TellStage,
  signal: AbortSignal | undefined,
): Promise<Result<string, LabError>> {
  const name = basename(program.places[0] ?? program.packageName);
  const remembered = await cached('unpacked', name, async (draft) => {
    const unpacked = await unpackPackage({ pattern: program.packageName }, tell, signal);
    if (!unpacked.ok) return unpacked;
    for (const place of program.places) {
      const copied = await copyFile(join(unpacked.value.folder, place), join(draft, name)).catch(() => 'absent');
      if (copied === undefined) return ok(undefined);
    }
    const message = `the package ${program.packageName} holds no ${program.places.join(' or ')}`;
    return err({ kind: 'broken' as const, message, remedy: 'Try again.' });
  });
  return remembered.ok ? ok(join(remembered.value, name)) : remembered;
}

/** Shell and tools of the guest. */
export const busyboxProgram = { packageName: 'busybox-static', places: ['usr/bin/busybox', 'bin/busybox'] } as const;
/** Unpacks kernels and modules; busybox's own does not know the filter for x86 code that kernels are packed with. */
export const xzProgram = { packageName: 'xz-utils', places: ['usr/bin/xz'] } as const;

/** The initramfs of one kernel, with modules in place of its own or beside them (name → file): its file. */
export async function buildInitramfs(
  kernel: { readonly key: string; readonly findFiles: () => Promise<Result<KernelFiles, LabError>> },
  ownModules: ReadonlyMap<string, string>,
  programs: GuestPrograms,
  tools: { readonly busybox: string; readonly xz: string },
  tell: TellStage,
): Promise<Result<string, LabError>> {
  const init = await readFile(here('guest/init'));
  const swap = await readFile(here('guest/swap-module'));
  const folder = await cached('initramfs', digestOf([kernel.key, programs.key, init, swap]), async (draft) => {
    const found = await kernel.findFiles();
    if (!found.ok) return found;
    const files = found.value;
    tell({ stage: `building the initramfs of ${files.release}` });
    const modules = await moduleClosure(files, ownModules, tools.xz);
    if (!modules.ok) return modules;
    const order = modules.value.map(({ name }) => `${name}.ko\n`).join('');
    const entries: CpioEntry[] = [
      ...['bin', 'boot', 'modules', 'usr', 'usr/bin', 'dev', 'proc', 'sys'].map((path) => folderEntry(path)),
      file('bin/busybox', await readFile(tools.busybox), true),
      file('init', init, true),
      file('agent', await readFile(programs.agent), true),
      ...(await Promise.all(
        programs.workloads.map(async ({ name, file: from }) => file(`usr/bin/${name}`, await readFile(from), true)),
      )),
      file('usr/bin/swap-module', swap, true),
      { kind: 'link', path: 'lib64', to: '/r/lib64' },
      { kind: 'link', path: 'lib', to: '/r/usr/lib' },
      { kind: 'link', path: 'usr/lib', to: '/r/usr/lib' },
      { kind: 'link', path: 'usr/bin/bpftrace', to: '/r/usr/bin/bpftrace' },
      ...modules.value.map(({ name, bytes }) => file(`modules/${name}.ko`, bytes, false)),
      file('modules/order', Buffer.from(order), false),
      ...(files.config === undefined
        ? []
        : [file(`boot/config-${files.release}`, await readFile(files.config), false)]),
    ];
    await writeFile(join(draft, 'initramfs.cpio'), writeCpio(entries));
    return ok(undefined);
  });
  return folder.ok ? ok(join(folder.value, 'initramfs.cpio')) : folder;
}

/**
 * A disk (ext4, read-only in the guest) with bpftrace of this machine and every library it loads, so that the guest is
 * traced by the very bpftrace that traces the host; or with one of tools/bpftrace-versions.
 */
export async function buildToolsDisk(bpftrace: string, tell: TellStage): Promise<Result<string, LabError>> {
  const files = await filesOfProgram(bpftrace);
  if (!files.ok) return files;
  const facts = await Promise.all(files.value.map(async ({ from }) => stat(from)));
  const key = digestOf(files.value.map(({ from, to }, at) => `${from} ${to} ${facts[at]?.size} ${facts[at]?.mtimeMs}`));
  const folder = await cached('tools', key, async (draft) => {
    tell({ stage: 'packing bpftrace for the guest' });
    const tree = join(draft, 'tree');
    for (const { from, to } of files.value) {
      await mkdir(dirname(join(tree, to)), { recursive: true });
      await copyFile(from, join(tree, to));
    }
    const mib = Math.ceil(facts.reduce((sum, { size }) => sum + size, 0) / 1024 / 1024) + 24;
    const image = join(draft, 'tools.ext4');
    const words = [
      '-q',
      '-F',
      '-t',
      'ext4',
      '-O',
      '^has_journal,^metadata_csum',
      '-m',
      '0',
      '-d',
      tree,
      image,
      `${mib}M`,
    ];
    const made = await run('mke2fs', words, { env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } });
    if (!made.ok) return made;
    return run('rm', ['-r', tree]).then((removed) => (removed.ok ? ok(undefined) : removed));
  });
  return folder.ok ? ok(join(folder.value, 'tools.ext4')) : folder;
}

type Copy = { readonly from: string; readonly to: string };

/** The program, its libraries and the loader, as `ldd` lists them, and where they go below the guest's /r. */
async function filesOfProgram(program: string): Promise<Result<readonly Copy[], LabError>> {
  const path = await run('which', [program]);
  if (!path.ok) {
    return err({
      kind: 'broken',
      message: `${program} is not on this machine, and the lab's guests run the machine's own`,
      remedy: 'Install it: sudo apt-get install bpftrace',
    });
  }
  const command = await realpath(path.value.trim());
  const unpacked = unpackedBeside(command);
  const listed =
    unpacked === undefined
      ? await run('ldd', [command])
      : await run(unpacked.loader, ['--library-path', unpacked.libraries, '--list', unpacked.program]);
  if (!listed.ok) return listed;
  const loader = /^\s*(\/lib64\/\S+)/m.exec(listed.value)?.[1] ?? '/lib64/ld-linux-x86-64.so.2';
  const libraries = [...listed.value.matchAll(/^(?!\s*\/lib64\/).*=> (\/\S+)/gm)].map(([, library = '']) => library);
  return ok([
    { from: unpacked?.program ?? command, to: 'usr/bin/bpftrace' },
    { from: await realpath(unpacked?.loader ?? loader), to: loader },
    ...(await Promise.all(
      libraries.map(async (library) => ({
        from: await realpath(library),
        to: join('usr/lib/x86_64-linux-gnu', basename(library)),
      })),
    )),
  ]);
}

/** What a command of tools/bpftrace-versions runs: a program with libraries and a loader of its own; undefined for others. */
function unpackedBeside(
  command: string,
): { readonly loader: string; readonly libraries: string; readonly program: string } | undefined {
  const folder = dirname(command);
  const loader = join(folder, 'loader', basename(command));
  if (!existsSync(loader)) return undefined;
  const libraries = ['usr/lib', 'lib'].map((place) => join(folder, 'root', place, 'x86_64-linux-gnu')).join(':');
  return { loader, libraries, program: join(folder, 'root/usr/bin', basename(command)) };
}

function folderEntry(path: string): CpioEntry {
  return { kind: 'folder', path };
}

function file(path: string, bytes: Uint8Array, isExecutable: boolean): CpioEntry {
  return { kind: 'file', path, bytes, isExecutable };
}
