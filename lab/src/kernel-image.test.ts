import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { extractVmlinux, findKernelFiles, releaseOf } from './kernel-image.ts';
import { dependenciesOf } from './modules.ts';

/** The head of a bzImage as Documentation/arch/x86/boot.rst lays it out: the magic, and where the version text is. */
function head(version: string): Buffer {
  const image = Buffer.alloc(0x1000);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x600, 0x20e);
  image.write(`${version}\0`, 0x800, 'latin1');
  return image;
}

/** A bzImage with this payload, of setup sectors and a payload offset as large as real ones have. */
function bzImage(payload: Buffer): Buffer {
  const [setupSectors, offset] = [0x1b, 0x3c4];
  const image = Buffer.concat([head('6.1.0'), Buffer.alloc((setupSectors + 1) * 512 + offset - 0x1000), payload]);
  image[0x1f1] = setupSectors;
  image.writeUInt32LE(offset, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  return image;
}

const withPvh = Buffer.from(`\x7fELF${'text '.repeat(100)}\x04\0\0\0\x08\0\0\0\x12\0\0\0Xen\0`, 'latin1');
const withoutPvh = Buffer.from(`\x7fELF${'text '.repeat(100)}`, 'latin1');
/** What the kernel's build puts behind a payload, unless gzip has done so. */
const size = Buffer.from([1, 2, 3, 4]);
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-image-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what is booted of a bzImage', () => {
  const extracted = async (image: Buffer): Promise<Buffer | string> => {
    const [from, to] = [join(folder, 'bzImage'), join(folder, 'vmlinux')];
    writeFileSync(from, image);
    const done = await extractVmlinux(from, to, 'xz');
    return done.ok ? readFileSync(to) : `${done.error.message}. ${done.error.remedy}`;
  };

  it.each([
    ['gzip, which ends in the size itself', gzipSync(withPvh)],
    ['zstd, with the size behind it', Buffer.concat([zstdCompressSync(withPvh), size])],
  ])('is the kernel, unpacked from %s', async (_how, payload) => {
    expect(await extracted(bzImage(payload))).toEqual(withPvh);
  });

  it('is the bzImage itself where the kernel has no entry for PVH', async () => {
    const image = bzImage(gzipSync(withoutPvh));
    expect(await extracted(image)).toEqual(image);
  });

  it('is refused with what would do when it is packed otherwise', async () => {
    const said = await extracted(bzImage(Buffer.from('BZh91AY: bzip2 for one', 'latin1')));
    expect(said).toContain('packed in a way the lab does not know (first bytes 425a6839)');
    expect(said).toContain('CONFIG_KERNEL_GZIP');
  });
});

describe('a build tree', () => {
  it('needs no modules where it says that all is built in, and has its config', async () => {
    const boot = join(folder, 'tree', 'arch', 'x86', 'boot');
    mkdirSync(boot, { recursive: true });
    writeFileSync(join(boot, 'bzImage'), bzImage(gzipSync(withPvh)));
    expect(await findKernelFiles([join(folder, 'tree')])).toMatchObject({ ok: false });
    writeFileSync(join(folder, 'tree', 'modules.builtin'), 'kernel/drivers/vfio/pci/vfio-pci.ko\n');
    writeFileSync(join(folder, 'tree', '.config'), 'CONFIG_PVH=y\n');
    expect(await findKernelFiles([join(folder, 'tree')])).toMatchObject({
      ok: true,
      value: { release: '6.1.0', modules: new Map(), config: join(folder, 'tree', '.config') },
    });
  });
});

describe('a kernel image', () => {
  it('says its release, without who built it', () => {
    expect(releaseOf(head('6.1.0-56-amd64 (debian-kernel@x) #1 SMP'))).toBe('6.1.0-56-amd64');
  });

  it.each([
    ['too short', Buffer.alloc(100)],
    ['no bzImage', Buffer.alloc(0x1000)],
  ])('is refused when it is %s', (_why, image) => {
    expect(releaseOf(image)).toBeUndefined();
  });
});

describe('a module', () => {
  const module = (info: string): Buffer => Buffer.from(`\x7fELF....\0license=GPL\0${info}\0retpoline=Y\0`, 'latin1');

  it('names what it depends on, with underscores', () => {
    expect(dependenciesOf(module('depends=vfio-pci-core,vfio'))).toEqual(['vfio_pci_core', 'vfio']);
  });

  it('depends on nothing when it says so, or says nothing', () => {
    expect(dependenciesOf(module('depends='))).toEqual([]);
    expect(dependenciesOf(module('name=x'))).toEqual([]);
  });
});
