import { describe, expect, it } from 'vitest';
import { findKernel, parseKernelList, readKernelList } from './kernel-list.ts';

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

  it('takes a folder for a kernel of its own', async () => {
    const found = await findKernel('/tmp');
    expect(found).toMatchObject({ ok: true, value: { source: { kind: 'folder', path: '/tmp' } } });
  });
});
