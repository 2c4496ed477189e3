/** The kernels the lab can boot, as data: lab/kernels.json, and folders or build trees named on the command line. */
import { readFile, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '@faultline/shared';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { digestOf } from './cache.ts';
import type { LabError } from './lab-error.ts';
import { readModules } from './module-build.ts';

const strict = { additionalProperties: false } as const;
const name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$' });

/**
 * Where a kernel comes from. `debian`: the newest package whose whole name fits, of this machine's suites or another
 * one. `folder`: vmlinuz and its modules below one folder; a kernel build tree is such a folder too (arch/x86/boot/bzImage
 * and the .ko files beside their sources, or below `modules`, where `make modules_install INSTALL_MOD_PATH=…` put them).
 * `module`: another kernel of the list with one module rebuilt for it, as it is or with a patch of lab/variants over it, or
 * with a module of the project's own. `modules-folder`: with the .ko files of a folder, built elsewhere.
 */
const KernelSourceSchema = Type.Union([
  Type.Object(
    {
      kind: Type.Literal('debian'),
      pattern: Type.String({ pattern: '^linux-[A-Za-z0-9.+\\\\\\[\\]()|*?-]{1,100}$' }),
      suite: Type.Optional(Type.String({ pattern: '^[a-z][a-z-]{1,40}$' })),
    },
    strict,
  ),
  Type.Object(
    { kind: Type.Literal('folder'), path: Type.String({ minLength: 1 }), modules: Type.Optional(Type.String()) },
    strict,
  ),
  Type.Object(
    {
      kind: Type.Literal('module'),
      base: name,
      module: Type.String({ pattern: '^[a-z][a-z0-9-]{0,59}$' }),
      patch: Type.Optional(Type.String({ pattern: '^[^\\0]{0,4000}\\.cocci$' })),
    },
    strict,
  ),
  Type.Object({ kind: Type.Literal('modules-folder'), base: name, path: Type.String({ minLength: 1 }) }, strict),
]);

/** One line of the list. */
const KernelEntrySchema = Type.Object(
  { name, title: Type.String({ minLength: 1, maxLength: 200 }), source: KernelSourceSchema },
  strict,
);
export type KernelEntry = Static<typeof KernelEntrySchema>;

const ListSchema = Type.Object(
  { kernelsVersion: Type.Literal(1), kernels: Type.Array(KernelEntrySchema, { minItems: 1, maxItems: 100 }) },
  strict,
);
const validator = Compile(ListSchema);

const listFile = fileURLToPath(new URL('../kernels.json', import.meta.url));

/** All kernels of the list, in its order. */
export async function readKernelList(): Promise<Result<readonly KernelEntry[], LabError>> {
  return parseKernelList(await readFile(listFile, 'utf8'));
}

/** Checks the list: its schema, and that no name stands twice. */
export function parseKernelList(text: string): Result<readonly KernelEntry[], LabError> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return err(badList(`not valid JSON: ${cause instanceof Error ? cause.message : String(cause)}`));
  }
  if (!validator.Check(value)) {
    const first = validator.Errors(value)[0];
    return err(badList(`${first?.instancePath || '/'}: ${first?.message ?? 'does not fit the schema'}`));
  }
  const names = value.kernels.map((kernel) => kernel.name);
  const twice = names.find((one, at) => names.indexOf(one) !== at);
  return twice === undefined ? ok(value.kernels) : err(badList(`two kernels are named ${twice}`));
}

/** A kernel by its name in the list, or by a folder that holds one. */
export async function findKernel(wanted: string): Promise<Result<KernelEntry, LabError>> {
  const list = await readKernelList();
  if (!list.ok) return list;
  const known = list.value.find((kernel) => kernel.name === wanted);
  if (known !== undefined) return ok(known);
  if (/[/~.]/.test(wanted[0] ?? '') && (await stat(wanted).catch(() => undefined))?.isDirectory() === true) {
    const path = resolve(wanted);
    return ok({ name: basename(path), title: path, source: { kind: 'folder', path } });
  }
  const names = list.value.map((kernel) => kernel.name).join(', ');
  return err({
    kind: 'unknown',
    message: `there is no kernel ${JSON.stringify(wanted)} in the lab`,
    remedy: `The lab has: ${names}. Or give a folder (./linux, /path/to/tree) that holds a kernel and its modules.`,
  });
}

/**
 * A kernel of the list with somebody's own module: `own` is a semantic patch over vfio-pci-core (a .cocci file), or a
 * folder with .ko files. Error: it is neither.
 */
export async function withOwnModule(base: KernelEntry, own: string): Promise<Result<KernelEntry, LabError>> {
  const path = resolve(own);
  const facts = await stat(path).catch(() => undefined);
  const word = basename(path, '.cocci')
    .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    .slice(0, 40);
  // The digest tells builds of one file apart that was edited in between: sessions are compared by their build's name.
  const named = (digest: string): Pick<KernelEntry, 'name' | 'title'> => ({
    name: `${base.name}+${word}-${digest.slice(0, 8)}`,
    title: `${base.title}, with ${basename(path)}`,
  });
  if (facts?.isFile() === true && path.endsWith('.cocci')) {
    const source = { kind: 'module', base: base.name, module: 'vfio-pci-core', patch: path } as const;
    return ok({ ...named(digestOf([await readFile(path)])), source });
  }
  if (facts?.isDirectory() === true) {
    const modules = await readModules(path);
    if (!modules.ok) return modules;
    return ok({ ...named(modules.value.key), source: { kind: 'modules-folder', base: base.name, path } });
  }
  return err({
    kind: 'unknown',
    message: `${own} is neither a .cocci file nor a folder`,
    remedy: 'Give a semantic patch for vfio-pci-core, or a folder with the .ko files to use.',
  });
}

function badList(message: string): LabError {
  return { kind: 'broken', message: `lab/kernels.json: ${message}`, remedy: 'Correct the list.' };
}
