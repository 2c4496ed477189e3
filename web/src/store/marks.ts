/** The one colour, the one mark and the one word that a mode or a kind of fault has everywhere. */

/** Shapes that tell modes apart without colour. */
export type Shape = 'circle' | 'square' | 'triangle' | 'diamond' | 'cross';

/** How a thing is shown: a token of theme.css, a shape, a word. Hatched where a second property needs telling apart. */
export type Mark = {
  readonly name: string;
  readonly color: string;
  readonly shape: Shape;
  readonly isHatched: boolean;
};

const plain = (name: string, color: string, shape: Shape): Mark => ({ name, color, shape, isHatched: false });

/** Lock modes by their word in the manifests. */
const modeMarks: Readonly<Record<string, Mark>> = {
  'mmap-read': plain('read', 'var(--mmap-read)', 'circle'),
  'mmap-write': plain('write', 'var(--mmap-write)', 'square'),
  'vma-read': plain('per-VMA', 'var(--vma-read)', 'triangle'),
};

/** Not held, not known, or tried in vain. */
export const unknownMark: Mark = plain('unknown', 'var(--unlocked)', 'diamond');

/** The mark of a lock mode; grey for one we do not know. */
export function modeMark(mode: string): Mark {
  return modeMarks[mode] ?? { ...unknownMark, name: mode };
}

const accessColors: Readonly<Record<string, readonly [color: string, shape: Shape]>> = {
  read: ['var(--fault-read)', 'circle'],
  write: ['var(--fault-write)', 'square'],
  instruction: ['var(--fault-exec)', 'triangle'],
};

/** The mark of a page fault: colour by access, hatched for a protection fault. */
export function faultMark(access: string, cause: string): Mark {
  const [color, shape] = accessColors[access] ?? ['var(--unlocked)', 'diamond'];
  const word = access === 'instruction' ? 'instr.' : access;
  return { name: cause === 'protection' ? `${word} prot.` : word, color, shape, isHatched: cause === 'protection' };
}

/** The mark of a vfio fault: colour and shape by order, hatched where it was made for somebody else. */
export function orderMark(name: string, color: string, shape: Shape, isHatched: boolean): Mark {
  return { name, color, shape, isHatched };
}
