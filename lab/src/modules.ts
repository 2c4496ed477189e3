/** Which modules a guest loads, in the order in which they can be loaded: each after those it depends on. */
import { err, ok, type Result } from '@faultline/shared';
import { type KernelFiles, readModule } from './kernel-image.ts';
import type { LabError } from './lab-error.ts';

/** A module to be loaded, with its bytes. */
export type Module = { readonly name: string; readonly bytes: Uint8Array };

/** What a guest needs; `optional` ones are built in, or absent, in some kernels. */
const wanted: readonly { readonly name: string; readonly isOptional: boolean }[] = [
  { name: 'virtio_pci', isOptional: false },
  { name: 'virtio_blk', isOptional: false },
  { name: 'virtio_console', isOptional: false },
  { name: 'crc32c_generic', isOptional: true },
  { name: 'ext4', isOptional: false },
  { name: 'vfio_iommu_type1', isOptional: false },
  { name: 'vfio_pci', isOptional: false },
];

/**
 * The closure of what a guest needs, with `own` modules (name → file) in place of the kernel's, or loaded besides. Error: a
 * module is neither there nor built in.
 */
export async function moduleClosure(
  files: KernelFiles,
  own: ReadonlyMap<string, string>,
  xz: string,
): Promise<Result<readonly Module[], LabError>> {
  const ordered: Module[] = [];
  const seen = new Set<string>();
  const visit = async (name: string, isOptional: boolean): Promise<Result<void, LabError>> => {
    if (seen.has(name) || files.builtin.has(name)) return ok(undefined);
    seen.add(name);
    const file = own.get(name) ?? files.modules.get(name);
    if (file === undefined) {
      return isOptional
        ? ok(undefined)
        : err({
            kind: 'unknown',
            message: `kernel ${files.release}: the module ${name} is neither there nor built in`,
            remedy:
              'Build the kernel with VFIO, VFIO_PCI, VFIO_IOMMU_TYPE1, VIRTIO_PCI, VIRTIO_BLK, VIRTIO_CONSOLE and EXT4.',
          });
    }
    const bytes = await readModule(file, xz);
    if (!bytes.ok) return bytes;
    for (const dependency of dependenciesOf(bytes.value)) {
      const visited = await visit(dependency, false);
      if (!visited.ok) return visited;
    }
    ordered.push({ name, bytes: bytes.value });
    return ok(undefined);
  };
  for (const { name, isOptional } of [...wanted, ...[...own.keys()].map((one) => ({ name: one, isOptional: false }))]) {
    const visited = await visit(name, isOptional);
    if (!visited.ok) return visited;
  }
  return ok(ordered);
}

/** The names after `depends=` in a module's .modinfo. */
export function dependenciesOf(module: Buffer): readonly string[] {
  const at = module.indexOf('\0depends=');
  if (at === -1) return [];
  const from = at + '\0depends='.length;
  const text = module.toString('latin1', from, module.indexOf(0, from));
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => name.replaceAll('-', '_'));
}
