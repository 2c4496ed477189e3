/** What is known of a kernel we can trace: who it is, and whether tracing can work there. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;
const optionalText = Type.Optional(Type.String());

/** Who a target says it is. Absent fields could not be read there. */
export const TargetIdentitySchema = Type.Object(
  {
    hostname: Type.String(),
    release: Type.String(),
    version: optionalText,
    machine: Type.String(),
    cpuCount: Type.Integer(),
    cpuModel: optionalText,
    memoryBytes: Type.Optional(Type.Integer()),
    pageBytes: Type.Optional(Type.Integer()),
    thpMode: optionalText,
    /** The hypervisor's name where the machine is virtual; absent on bare metal or where it can't be told. */
    virtualisation: optionalText,
    isEmulated: Type.Boolean(),
    /** PREEMPT_RT: the word of the lock has another encoding. */
    isRealtime: Type.Optional(Type.Boolean()),
    bootId: optionalText,
    /** Kernel config options of interest, as in the config file: CONFIG_LOCKDEP → y, m, n. */
    config: Type.Record(Type.String(), Type.String()),
    /** Epoch ms minus the kernel clock of bpftrace's nsecs in ms: kernel time + offset = wall-clock time. */
    clockOffsetMs: Type.Optional(Type.Number()),
    bpftraceVersion: optionalText,
  },
  strict,
);
export type TargetIdentity = Static<typeof TargetIdentitySchema>;

export const TargetKindSchema = Type.Union([
  Type.Literal('host'),
  Type.Literal('guest'),
  Type.Literal('ssh'),
  Type.Literal('replay'),
]);
export type TargetKind = Static<typeof TargetKindSchema>;

export const TargetViewSchema = Type.Object(
  {
    id: Type.String(),
    kind: TargetKindSchema,
    title: Type.String(),
    /** Where a person must not mistake what is shown for the real thing here and now: "replay of …". */
    badge: optionalText,
    identity: Type.Optional(TargetIdentitySchema),
    /** Why it can no longer be traced, or why its identity could not be had. */
    problem: optionalText,
  },
  strict,
);
export type TargetView = Static<typeof TargetViewSchema>;

/** A PCI device bound to vfio-pci, and those of its BARs that are there. */
export const VfioDeviceSchema = Type.Object(
  {
    bdf: Type.String(),
    bars: Type.Array(
      Type.Object({ index: Type.Integer(), physicalAddress: Type.Number(), bytes: Type.Number() }, strict),
    ),
  },
  strict,
);
export type VfioDevice = Static<typeof VfioDeviceSchema>;

/** One named check before tracing. `unknown`: could not be determined, and why is in `found`. */
export const PreflightCheckSchema = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    status: Type.Union([Type.Literal('ok'), Type.Literal('warning'), Type.Literal('failed'), Type.Literal('unknown')]),
    found: Type.String(),
    remedy: optionalText,
    /** A command to type, where one cures it. */
    command: optionalText,
  },
  strict,
);
export type PreflightCheck = Static<typeof PreflightCheckSchema>;

export const PreflightSchema = Type.Object(
  { targetId: Type.String(), canTrace: Type.Boolean(), checks: Type.Array(PreflightCheckSchema) },
  strict,
);
export type Preflight = Static<typeof PreflightSchema>;

/** What the planner decided for one stream: the chosen variant, or for each why not. */
export const PlanSchema = Type.Object(
  {
    probe: Type.String(),
    stream: Type.String(),
    chosen: optionalText,
    variants: Type.Array(
      Type.Object(
        { name: Type.String(), attach: Type.String(), fits: Type.Boolean(), reasons: Type.Array(Type.String()) },
        strict,
      ),
    ),
  },
  strict,
);
export type Plan = Static<typeof PlanSchema>;
