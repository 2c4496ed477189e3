/** How a kernel's vfio-pci fault handler behaves: recognised by the planner, never by the kernel's version. */
import { type Static, Type } from 'typebox';

/** a: remaps the whole VMA in one fault. bc: inserts pages one by one. d: inserts as much as fits. none: no handler, maps at mmap time. */
export const EraSchema = Type.Union([Type.Literal('a'), Type.Literal('bc'), Type.Literal('d'), Type.Literal('none')]);
export type Era = Static<typeof EraSchema>;

/** The era that a variant of vfio-fault is named after (`era-a-kprobe`, `no-handler-kprobe`); undefined for other names. */
export function eraOfVariant(variant: string | undefined): Era | undefined {
  if (variant?.startsWith('no-handler-') === true) return 'none';
  const word = /^era-(a|bc|d)-/.exec(variant ?? '')?.[1];
  return word === 'a' || word === 'bc' || word === 'd' ? word : undefined;
}

/** An era in words, as it stands in a list: "era A", "no fault handler". */
export function eraTitle(era: Era): string {
  return era === 'none' ? 'no fault handler' : `era ${era.toUpperCase()}`;
}
