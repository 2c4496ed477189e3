/** The lab as the page and the interface see it: kernels that can be booted, guests that run, workloads in them. */
import { type Static, Type } from 'typebox';
import { EraSchema } from './era.ts';
import {
  barBytesMax,
  barBytesMin,
  labPageBytes,
  oopsesShownMax,
  workloadLinesShownMax,
  workloadRepetitionsMax,
  workloadThreadsMax,
} from './limits.ts';

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

/** A program that the lab can run in a guest, and which choices it heeds; size and repetitions are heeded by all. */
export const LabWorkloadSchema = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    /** Misaligned is another case: the kernel maps with smaller pages. */
    takesAlignment: Type.Boolean(),
    takesThreads: Type.Boolean(),
  },
  strict,
);
export type LabWorkload = Static<typeof LabWorkloadSchema>;

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
    /** How its fault handler was recognised to behave; absent where vfio-fault does not run in it. */
    era: Type.Optional(EraSchema),
    /** Why it failed, or why its next boot will be a cold one. */
    problem: optionalText,
    remedy: optionalText,
  },
  strict,
);
export type LabMachine = Static<typeof LabMachineSchema>;

/** A kernel's complaint, for people. */
export const LabOopsSchema = Type.Object(
  {
    /** The kernel's own words, and the first functions of the path on which it happened. */
    said: Type.String(),
    /** Functions, innermost first. */
    stack: Type.Array(Type.String()),
  },
  strict,
);

/** One run of a workload in a guest. */
export const LabWorkloadRunSchema = Type.Object(
  {
    id: Type.String(),
    machineId: Type.String(),
    workload: Type.String(),
    isMisaligned: Type.Boolean(),
    /** How much of the BAR. */
    sizeBytes: Type.Integer(),
    repetitions: Type.Integer(),
    threads: Type.Optional(Type.Integer()),
    state: Type.Union([Type.Literal('running'), Type.Literal('done'), Type.Literal('failed')]),
    startedAtMs: Type.Number(),
    /** Lines it has printed so far, and the newest of them: what it says it did. */
    lineCount: Type.Integer(),
    lines: Type.Array(Type.String(), { maxItems: workloadLinesShownMax }),
    exitStatus: Type.Optional(Type.Integer()),
    problem: optionalText,
    /** What the kernel complained about meanwhile: BUGs and bad pages, a result of the workload and no failure of the lab. */
    oopses: Type.Optional(Type.Array(LabOopsSchema, { maxItems: oopsesShownMax })),
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
    workloads: Type.Array(LabWorkloadSchema),
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
    /** How much of the BAR, whole pages; all of it unless told otherwise. */
    sizeBytes: Type.Optional(Type.Integer({ minimum: labPageBytes, maximum: barBytesMax, multipleOf: labPageBytes })),
    repetitions: Type.Optional(Type.Integer({ minimum: 1, maximum: workloadRepetitionsMax })),
    threads: Type.Optional(Type.Integer({ minimum: 1, maximum: workloadThreadsMax })),
  },
  strict,
);
export type StartWorkload = Static<typeof StartWorkloadSchema>;
