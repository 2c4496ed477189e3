import { describe, expect, it } from 'vitest';
import { absoluteKernel, kernelTitles } from './kernel-words.ts';

describe('a kernel named by a folder', () => {
  it('is that folder wherever the command was typed, and a name of the list stays one', () => {
    expect(absoluteKernel('.', '/home')).toBe('/home');
    expect(absoluteKernel('./linux/', '/home')).toBe('/home/linux');
    expect(absoluteKernel('/src/linux', '/home')).toBe('/src/linux');
    expect(absoluteKernel('6.1-v0', '/home')).toBe('6.1-v0');
  });

  it('is called by its last part in a report, unless another is called so too', () => {
    expect(kernelTitles(['6.1', '/src/linux-a', '/src/linux-b'])).toEqual(['6.1', 'linux-a', 'linux-b']);
    expect(kernelTitles(['/old/linux', '/new/linux', '/x/6.1', '6.1'])).toEqual([
      '/old/linux',
      '/new/linux',
      '/x/6.1',
      '6.1',
    ]);
    expect(kernelTitles(['/'])).toEqual(['/']);
  });
});
