/** Border 2: what a probe folder says about itself. Strict: an unknown key is refused. */
import { type Static, Type } from 'typebox';

const strict = { additionalProperties: false } as const;
const name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,39}$' });
const field = Type.String({ pattern: '^[a-z][a-zA-Z0-9]{0,39}$' });
const mapName = Type.String({ pattern: '^@[a-z][a-z0-9_]{0,39}$' });
const sentence = Type.String({ minLength: 1, maxLength: 600 });
// Without additionalProperties a key outside the pattern would pass unchecked.
const enumValues = Type.Record(
  Type.String({ pattern: '^[0-9]{1,10}$' }),
  Type.String({ minLength: 1, maxLength: 40 }),
  strict,
);

/** What a number is: decides how it is shown, never what it is. */
export const UnitSchema = Type.Union([
  Type.Literal('count'),
  Type.Literal('ns'),
  Type.Literal('pages'),
  Type.Literal('bytes'),
  Type.Literal('id'),
  Type.Literal('address'),
  Type.Literal('none'),
]);
export type Unit = Static<typeof UnitSchema>;

/** A typed, bounded, unsigned integer: bpftrace's positional parameter in the order of the list. */
export const ParameterSchema = Type.Object(
  {
    name: field,
    title: sentence,
    unit: UnitSchema,
    minimum: Type.Integer({ minimum: 0 }),
    maximum: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    default: Type.Integer({ minimum: 0 }),
    description: sentence,
  },
  strict,
);
export type Parameter = Static<typeof ParameterSchema>;

/**
 * One part of a map's key. `enum` numbers become words, an unknown one `unknown:7`. `text` comes last (it may hold commas).
 * `stack` is a kernel stack (no commas), innermost first, joined by ";" and without offsets. `named` is a number (an address)
 * that means nothing outside the kernel: the script prints a map `by` with its name, once for each.
 */
export const KeyPartSchema = Type.Union([
  Type.Object({ name: field, kind: Type.Literal('enum'), values: enumValues }, strict),
  Type.Object({ name: field, kind: Type.Literal('uint') }, strict),
  Type.Object({ name: field, kind: Type.Literal('text') }, strict),
  Type.Object({ name: field, kind: Type.Literal('stack') }, strict),
  Type.Object({ name: field, kind: Type.Literal('named'), by: mapName }, strict),
  Type.Object({ name: Type.Literal('bucket'), kind: Type.Literal('bucket') }, strict),
  Type.Object(
    {
      kind: Type.Literal('packed'),
      /** Fields of one integer: bits from `shift` on, `bits` wide (0 = all the rest). */
      fields: Type.Array(
        Type.Object(
          {
            name: field,
            shift: Type.Integer({ minimum: 0, maximum: 52 }),
            bits: Type.Integer({ minimum: 0, maximum: 52 }),
            values: Type.Optional(enumValues),
          },
          strict,
        ),
        { minItems: 1 },
      ),
    },
    strict,
  ),
]);
export type KeyPart = Static<typeof KeyPartSchema>;

/**
 * A cumulative bpftrace map that a script prints at every heartbeat: first the maps, then the line `HB <nsecs>`, which
 * closes the snapshot (so that a snapshot is whole the moment it is known, not one heartbeat later).
 * `role` says what it means for the ledger: `events` counts every event the stream saw (for a call stream: `seen` are the
 * candidates, `emitted` the printed ones, `suppressed` those the kernel-side rate cap held back); `unpaired` are
 * returns whose entry was not seen; a `figure` is a result and nothing more.
 * One map may feed several metrics, each with a spec of its own and the same key: two updates in the kernel cost more than
 * two readings of one map.
 */
export const MapSpecSchema = Type.Object(
  {
    map: mapName,
    metric: field,
    title: sentence,
    unit: UnitSchema,
    kind: Type.Union([Type.Literal('count'), Type.Literal('sum'), Type.Literal('max'), Type.Literal('buckets')]),
    role: Type.Union([
      Type.Literal('events'),
      Type.Literal('seen'),
      Type.Literal('emitted'),
      Type.Literal('suppressed'),
      Type.Literal('unpaired'),
      Type.Literal('figure'),
    ]),
    key: Type.Array(KeyPartSchema, { maxItems: 6 }),
    /** The dimensions that this metric has, where not all of the key: over the others is added up. */
    keep: Type.Optional(Type.Array(field)),
    /** Only keys whose dimension has this word feed the metric. */
    only: Type.Optional(Type.Object({ name: field, word: Type.String() }, strict)),
    /** Each count is so many of the metric, by the word of a dimension: an order is pages; 0: none, so no cell either. */
    weight: Type.Optional(
      Type.Object(
        {
          name: field,
          words: Type.Record(Type.String({ pattern: '^[a-z0-9_-]{1,40}$' }), Type.Integer({ minimum: 0 }), strict),
        },
        strict,
      ),
    ),
  },
  strict,
);
export type MapSpec = Static<typeof MapSpecSchema>;

/** One spec a metric, the first, at its place: what a metric is, whichever of several maps feeds it on a target. */
export function metricSpecs({ maps }: { readonly maps: readonly MapSpec[] }): readonly MapSpec[] {
  return maps.filter(({ metric }, at) => maps.findIndex((spec) => spec.metric === metric) === at);
}

/** One column of a call stream, in the order of the printed tuple. `timeNs` is the kernel's clock. */
export const ColumnSchema = Type.Object(
  {
    name: field,
    title: sentence,
    unit: UnitSchema,
    type: Type.Union([
      Type.Literal('timeNs'),
      Type.Literal('u8'),
      Type.Literal('u16'),
      Type.Literal('u32'),
      Type.Literal('f64'),
      Type.Literal('text'),
    ]),
    values: Type.Optional(enumValues),
    description: sentence,
  },
  strict,
);
export type Column = Static<typeof ColumnSchema>;

const ModuleTypeSchema = Type.Object(
  { module: Type.String({ pattern: '^[a-z0-9_]+$' }), type: Type.String({ pattern: '^[a-zA-Z0-9_]+$' }) },
  strict,
);

/** One .bt file, and what it needs of a kernel and of bpftrace. */
export const VariantSchema = Type.Object(
  {
    name,
    script: Type.String({ pattern: '^[a-z][a-z0-9-]*\\.bt$' }),
    attach: Type.Union([Type.Literal('tracepoint'), Type.Literal('fentry'), Type.Literal('kprobe')]),
    requires: Type.Object(
      {
        tracepoints: Type.Array(Type.String({ pattern: '^[a-z0-9_]+:[a-zA-Z0-9_]+$' })),
        functions: Type.Array(Type.String({ pattern: '^[a-zA-Z0-9_]+$' })),
        /** Functions by pattern (`*` for any letters), besides one that is always there: a driver's own beside the usual one. */
        functionsLike: Type.Optional(
          Type.Array(
            Type.Object(
              {
                pattern: Type.String({ pattern: '^[a-zA-Z0-9_*]+$' }),
                besides: Type.String({ pattern: '^[a-zA-Z0-9_]+$' }),
              },
              strict,
            ),
          ),
        ),
        /** Functions that must not be there: a script for kernels without them. */
        absentFunctions: Type.Optional(Type.Array(Type.String({ pattern: '^[a-zA-Z0-9_]+$' }))),
        /** The script reads kernel structures: BTF of the kernel must be there. */
        btf: Type.Boolean(),
        /** Modules that must be loaded. */
        modules: Type.Optional(Type.Array(Type.String({ pattern: '^[a-z0-9_]+$' }))),
        /** Types that must be in a module's own BTF: they tell eras apart where the functions have the same names. */
        btfTypes: Type.Optional(Type.Array(ModuleTypeSchema)),
        /** Types that must not be there. */
        absentBtfTypes: Type.Optional(Type.Array(ModuleTypeSchema)),
        /** The script decodes the word of mmap_lock: `rwsem` is how it is without PREEMPT_RT, `rwbase` with it. */
        lockWord: Type.Optional(Type.Union([Type.Literal('rwsem'), Type.Literal('rwbase')])),
      },
      strict,
    ),
    bpftraceMin: Type.String({ pattern: '^[0-9]+\\.[0-9]+$' }),
    /** The first bpftrace that can no longer run it, where there is one. */
    bpftraceBelow: Type.Optional(Type.String({ pattern: '^[0-9]+\\.[0-9]+$' })),
    note: Type.Optional(sentence),
  },
  strict,
);
export type Variant = Static<typeof VariantSchema>;

/** One question that one bpftrace process answers; its variants are tried in order. */
export const StreamSchema = Type.Object(
  {
    name,
    title: sentence,
    question: sentence,
    kind: Type.Union([Type.Literal('tally'), Type.Literal('call')]),
    isDefault: Type.Boolean(),
    /** Streams of this probe that count the same events: never run beside this one, or a view would add them up. */
    insteadOf: Type.Array(name),
    parameters: Type.Array(ParameterSchema, { maxItems: 8 }),
    variants: Type.Array(VariantSchema, { minItems: 1, maxItems: 12 }),
    maps: Type.Array(MapSpecSchema, { maxItems: 16 }),
    columns: Type.Array(ColumnSchema, { maxItems: 24 }),
    /** What a lost, dropped or malformed record means for the figures: shown where the ledger is amber. */
    lossMeaning: sentence,
  },
  strict,
);
export type Stream = Static<typeof StreamSchema>;

export const ProbeManifestSchema = Type.Object(
  {
    manifestVersion: Type.Literal(1),
    name,
    title: sentence,
    question: sentence,
    caveats: Type.Array(sentence),
    streams: Type.Array(StreamSchema, { minItems: 1, maxItems: 8 }),
  },
  strict,
);
export type ProbeManifest = Static<typeof ProbeManifestSchema>;
