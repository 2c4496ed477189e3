/** How a kernel's vfio-pci fault handler behaves: recognised by the planner, never by the kernel's version. */
import { type Static, Type } from 'typebox';

/** a: remaps the whole VMA in one fault. bc: inserts pages one by one. d: inserts as much as fits. */
export const EraSchema = Type.Union([Type.Literal('a'), Type.Literal('bc'), Type.Literal('d')]);
export type Era = Static<typeof EraSchema>;

/** The era that a variant of vfio-fault is named after (`era-a-kprobe`); undefined for other names. */
export function eraOfVariant(variant: string | undefined): Era | undefined {
  const word = /^era-(a|bc|d)-/.exec(variant ?? '')?.[1];
  return word === 'a' || word === 'bc' || word === 'd' ? word : undefined;
}
