/** The words by which people name kernels: names of the lab's list, and folders. */
import { basename, resolve } from 'node:path';

/** A folder by its absolute path, so that what is recorded of it says the same everywhere; names stay as they are. `from` is where relative ones begin. */
export function absoluteKernel(word: string, from: string): string {
  return /^[/.~]/.test(word) ? resolve(from, word) : word;
}

/** What kernels are called in a report: a folder by its last part, unless another is called so too. */
export function kernelTitles(kernels: readonly string[]): readonly string[] {
  const short = kernels.map((one) => (one.startsWith('/') ? basename(one) : one));
  return kernels.map((one, at) => {
    const title = short[at] ?? one;
    return title === '' || short.indexOf(title) !== short.lastIndexOf(title) ? one : title;
  });
}
