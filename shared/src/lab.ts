/** The lab as the page and the interface see it: kernels that can be booted, guests that run, workloads in them. */
import { type Static, Type } from 'typebox';
import { barBytesMax, barBytesMin } from './limits.ts';

const strict = { additionalProperties: false } as const;
const optionalText = Type.Optional(Type.String());

/** A kernel of the list. */
export const LabKernelSchema = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    /** Its files are here: nothing has to be downloaded. */
    isCached: Type.Boolean(),
  },
  strict,
);
export type LabKernel = Static<typeof LabKernelSchema>;

/** A guest, from the first thing done for it until it is gone. */
export const LabMachineSchema = Type.Object(
  {
    id: Type.String(),
    kernel: Type.String(),
    barBytes: Type.Integer(),
    state: Type.Union([
      Type.Literal('preparing'),
      Type.Literal('running'),
      Type.Literal('stopping'),
      Type.Literal('failed'),
    ]),
    /** What goes on, in words; bytes where something is downloaded. */
    stage: Type.String(),
    startedAtMs: Type.Number(),
    doneBytes: Type.Optional(Type.Number()),
    totalBytes: Type.Optional(Type.Number()),
    /** The target it has become. */
    targetId: optionalText,
    wasRestored: Type.Optional(Type.Boolean()),
    isEmulated: Type.Optional(Type.Boolean()),
    /** Why it failed, or why its next boot will be a cold one. */
    problem: optionalText,
    remedy: optionalText,
  },
  strict,
);
export type LabMachine = Static<typeof LabMachineSchema>;

/** One run of a workload in a guest. */
export const LabWorkloadRunSchema = Type.Object(
  {
    id: Type.String(),
    machineId: Type.String(),
    workload: Type.String(),
    isMisaligned: Type.Boolean(),
    state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
    startedAtMs: Type.Number(),
    /** What it has printed: what it says it did. */
    lines: Type.Array(Type.String()),
    exitStatus: Type.Optional(Type.Integer()),
    problem: optionalText,
  },
  strict,
);
export type LabWorkloadRun = Static<typeof LabWorkloadRunSchema>;

/** GET /api/v1/lab */
export const LabViewSchema = Type.Object(
  {
    accelerator: Type.Union([Type.Literal('kvm'), Type.Literal('tcg')]),
    /** With tcg: why not KVM. */
    whyEmulated: optionalText,
    kernels: Type.Array(LabKernelSchema),
    workloads: Type.Array(Type.Object({ name: Type.String(), title: Type.String() }, strict)),
    machines: Type.Array(LabMachineSchema),
    workloadRuns: Type.Array(LabWorkloadRunSchema),
  },
  strict,
);
export type LabView = Static<typeof LabViewSchema>;

/** POST /api/v1/lab/machines: kernels of the list only; a folder is for the command line. */
export const BootLabSchema = Type.Object(
  {
    kernel: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$' }),
    barBytes: Type.Optional(Type.Integer({ minimum: barBytesMin, maximum: barBytesMax })),
  },
  strict,
);
export type BootLab = Static<typeof BootLabSchema>;

/** POST /api/v1/lab/machines/:id/runs */
export const StartWorkloadSchema = Type.Object(
  {
    workload: Type.String({ pattern: '^[a-z][a-z-]{0,39}$' }),
    isMisaligned: Type.Optional(Type.Boolean()),
    repetitions: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  strict,
);
export type StartWorkload = Static<typeof StartWorkloadSchema>;
