import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findKernel, parseKernelList, readKernelList, withOwnModule } from './kernel-list.ts';

const entry = { name: '6.1', title: 'x', source: { kind: 'debian', pattern: 'linux-image-6\\.1\\.0-[0-9]+-amd64' } };
const list = (...kernels: readonly unknown[]): string => JSON.stringify({ kernelsVersion: 1, kernels });

describe('the list of kernels', () => {
  it('that is shipped names 6.1 and 6.12 as packages', async () => {
    const kernels = await readKernelList();
    expect(
      kernels.ok && kernels.value.filter(({ source }) => source.kind === 'debian').map(({ name }) => name),
    ).toEqual(expect.arrayContaining(['6.1', '6.12']));
  });

  it.each([
    ['an unknown word', list({ ...entry, extra: 1 }), /extra|additional/i],
    ['a name that could be a path', list({ ...entry, name: '../6.1' }), /name/],
    [
      'a pattern that is no package',
      list({ ...entry, source: { kind: 'debian', pattern: '-o Foo=bar' } }),
      /source|union|anyOf/i,
    ],
    ['a name twice', list(entry, entry), /two kernels are named 6\.1/],
    ['no JSON', '{', /not valid JSON/],
  ])('is refused with %s', (_what, text, message) => {
    const parsed = parseKernelList(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.error.message).toMatch(message);
  });

  it('says which kernels there are when asked for another', async () => {
    const found = await findKernel('5.4');
    expect(found).toMatchObject({ ok: false, error: { kind: 'unknown', remedy: expect.stringContaining('6.12') } });
  });

  it('has builds of modules only on kernels of its own', async () => {
    const kernels = await readKernelList();
    if (!kernels.ok) throw new Error(kernels.error.message);
    const builds = kernels.value.flatMap(({ name, source }) => (source.kind === 'module' ? [{ name, ...source }] : []));
    expect(builds.map(({ name }) => name)).toEqual(expect.arrayContaining(['6.1-v0', '6.1-v4', '6.12-device']));
    for (const { base } of builds) {
      const found = await findKernel(base);
      expect(found).toMatchObject({ ok: true, value: { source: { kind: 'debian' } } });
    }
  });

  it('takes somebody’s own patch or folder over a kernel, and nothing else', async () => {
    const base = await findKernel('6.1');
    if (!base.ok) throw new Error(base.error.message);
    const patch = fileURLToPath(new URL('../variants/v2.cocci', import.meta.url));
    expect(await withOwnModule(base.value, patch)).toMatchObject({
      ok: true,
      value: {
        name: expect.stringMatching(/^6\.1\+v2-[0-9a-f]{8}$/),
        source: { kind: 'module', base: '6.1', module: 'vfio-pci-core', patch },
      },
    });
    const folder = await mkdtemp(join(tmpdir(), 'own-module-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    expect(await withOwnModule(base.value, folder)).toMatchObject({ ok: false, error: { kind: 'unknown' } });
    const nameWith = async (module: string): Promise<unknown> => {
      await writeFile(join(folder, 'vfio_pci_core.ko'), module);
      const own = await withOwnModule(base.value, folder);
      expect(own).toMatchObject({ value: { source: { kind: 'modules-folder', base: '6.1', path: folder } } });
      return own.ok && own.value.name;
    };
    const first = await nameWith('one');
    expect(first).toMatch(/^6\.1\+own-module-\w+-[0-9a-f]{8}$/);
    expect(await nameWith('other')).not.toBe(first);
    expect(await nameWith('one')).toBe(first);
    expect(await withOwnModule(base.value, 'no-such.cocci')).toMatchObject({ ok: false, error: { kind: 'unknown' } });
  });

  it('takes a folder for a kernel of its own', async () => {
    const found = await findKernel('/tmp');
    expect(found).toMatchObject({ ok: true, value: { source: { kind: 'folder', path: '/tmp' } } });
  });
});
