/** A probe run: one bpftrace process, its readable state, and the ledger of where every event went. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;
const count = Type.Integer({ minimum: 0 });

export const RunStateSchema = Type.Union([
  Type.Literal('starting'),
  Type.Literal('running'),
  Type.Literal('stopping'),
  Type.Literal('stopped'),
  Type.Literal('failed'),
]);
export type RunState = Static<typeof RunStateSchema>;

/** Why a run failed, as a code for programs; the sentence for people is in `FailureSchema.message`. */
export const FailureKindSchema = Type.Union([
  Type.Literal('bpftrace-missing'),
  Type.Literal('not-permitted'),
  Type.Literal('tracepoint-missing'),
  Type.Literal('function-missing'),
  Type.Literal('script-error'),
  Type.Literal('attach-failed'),
  Type.Literal('load-failed'),
  Type.Literal('never-ready'),
  Type.Literal('stalled'),
  Type.Literal('flooded'),
  Type.Literal('killed'),
  Type.Literal('exited'),
  Type.Literal('target-lost'),
]);
export type FailureKind = Static<typeof FailureKindSchema>;

/** A failure that says what, where and what to do. */
export const FailureSchema = Type.Object(
  { kind: FailureKindSchema, message: Type.String(), remedy: Type.String(), stderr: Type.Optional(Type.String()) },
  strict,
);
export type Failure = Static<typeof FailureSchema>;

/**
 * Where every event of one run went, stage by stage. Never summed silently.
 * Kernel: `seenCount` matched; `suppressedCount` held back by the script's own rate cap; `emittedCount` printed (call
 * streams), `unpairedCount` returns whose entry was not seen. Buffer: `lostCount` as bpftrace reports it, a hint;
 * `missingCount` = emitted - arrived once the run has ended, exact. Decoder: `malformedCount` lines. Server:
 * `droppedCount` calls shed by a full queue. `recordedCount` is what the figures hold.
 */
export const LedgerSchema = Type.Object(
  {
    seenCount: count,
    suppressedCount: count,
    emittedCount: count,
    unpairedCount: count,
    arrivedCount: count,
    lostCount: count,
    missingCount: count,
    malformedCount: count,
    droppedCount: count,
    recordedCount: count,
    linesCount: count,
    bytesCount: count,
  },
  strict,
);
export type Ledger = Static<typeof LedgerSchema>;

/** Something a reader of the figures must know: a map near its limit, lines malformed, a stop without final counts. */
export const FindingSchema = Type.Object(
  {
    code: Type.Union([
      Type.Literal('map-nearly-full'),
      Type.Literal('map-full'),
      Type.Literal('counts-missed'),
      Type.Literal('events-lost'),
      Type.Literal('events-missing'),
      Type.Literal('lines-malformed'),
      Type.Literal('calls-dropped'),
      Type.Literal('counter-went-back'),
      Type.Literal('too-many-cells'),
      Type.Literal('no-final-snapshot'),
      Type.Literal('flood'),
      Type.Literal('unattributed'),
      Type.Literal('bpftrace-message'),
    ]),
    /** amber: the figures are affected; note: worth knowing, figures intact. */
    level: Type.Union([Type.Literal('lossy'), Type.Literal('note')]),
    message: Type.String(),
    atMs: Type.Number(),
    /** How often it was found. */
    count: Type.Integer({ minimum: 1 }),
  },
  strict,
);
export type Finding = Static<typeof FindingSchema>;

export const RunViewSchema = Type.Object(
  {
    id: Type.String(),
    /** Position in its session; the index that frames use. */
    index: Type.Integer({ minimum: 0 }),
    probe: Type.String(),
    stream: Type.String(),
    variant: Type.String(),
    attach: Type.String(),
    script: Type.String(),
    parameters: Type.Record(Type.String(), Type.Integer()),
    state: RunStateSchema,
    failure: Type.Optional(FailureSchema),
    startedAtMs: Type.Number(),
    readyAtMs: Type.Optional(Type.Number()),
    endedAtMs: Type.Optional(Type.Number()),
    /** Kernel clock, ns: of READY (or of when a run that had been held was taken up) and of the last whole snapshot. */
    readyNs: Type.Optional(Type.Number()),
    lastNs: Type.Optional(Type.Number()),
    bpftraceVersion: Type.Optional(Type.String()),
    bpftracePid: Type.Optional(Type.Integer()),
    /** CPU that bpftrace itself uses, share of one CPU (1 = one whole CPU) over the last second. */
    bpftraceCpuShare: Type.Optional(Type.Number()),
    ledger: LedgerSchema,
    findings: Type.Array(FindingSchema),
    /** Nothing lost, missing, dropped, malformed or unattributed so far. */
    isComplete: Type.Boolean(),
  },
  strict,
);
export type RunView = Static<typeof RunViewSchema>;

/** A ledger where nothing has happened yet. */
export function emptyLedger(): Ledger {
  return {
    seenCount: 0,
    suppressedCount: 0,
    emittedCount: 0,
    unpairedCount: 0,
    arrivedCount: 0,
    lostCount: 0,
    missingCount: 0,
    malformedCount: 0,
    droppedCount: 0,
    recordedCount: 0,
    linesCount: 0,
    bytesCount: 0,
  };
}

const ledgerFields = [
  'seenCount',
  'suppressedCount',
  'emittedCount',
  'unpairedCount',
  'arrivedCount',
  'lostCount',
  'missingCount',
  'malformedCount',
  'droppedCount',
  'recordedCount',
  'linesCount',
  'bytesCount',
] as const satisfies readonly (keyof Ledger)[];

/** Adds ledgers of several runs field by field. */
export function addLedgers(ledgers: readonly Ledger[]): Ledger {
  const total: Record<keyof Ledger, number> = emptyLedger();
  for (const ledger of ledgers) {
    for (const field of ledgerFields) total[field] += ledger[field];
  }
  return total;
}
