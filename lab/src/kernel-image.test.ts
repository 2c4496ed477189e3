import { describe, expect, it } from 'vitest';
import { releaseOf } from './kernel-image.ts';
import { dependenciesOf } from './modules.ts';

/** The head of a bzImage as Documentation/arch/x86/boot.rst lays it out: the magic, and where the version text is. */
function head(version: string): Buffer {
  const image = Buffer.alloc(0x1000);
  image.write('HdrS', 0x202, 'latin1');
  image.writeUInt16LE(0x600, 0x20e);
  image.write(`${version}\0`, 0x800, 'latin1');
  return image;
}

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
