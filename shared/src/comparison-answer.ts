/** Border 4, comparisons: what GET /api/v1/compare says, and what can be compared. */
import { type Static, Type } from 'typebox';
import type { CandidateComparison, Comparison } from './compare/comparison.ts';
import type { DifferenceHeat } from './compare/difference-heat.ts';
import { type Era, EraSchema } from './era.ts';
import type { Assertion } from './live/assertion.ts';
import type { FaultPath } from './live/fault-path.ts';
import type { RunWork } from './compare/run.ts';
import type { Verdict } from './compare/verdict.ts';
import { SetupWorkloadSchema } from './session-file.ts';

const strict = { additionalProperties: false } as const;
const text = Type.String();
const number = Type.Number();
const optional = Type.Optional(number);
const oneOf = <const T extends readonly string[]>(words: T) => Type.Union(words.map((word) => Type.Literal(word)));

/** A closed session that can be one run of a comparison. */
export const ComparableSessionSchema = Type.Object(
  {
    id: text,
    /** What it was recorded as, otherwise the kernel's own name: `build:NAME` selects by it. */
    build: text,
    /** Name of its workload; absent where it is not known. */
    workload: Type.Optional(text),
    runNumber: Type.Optional(Type.Integer()),
    name: Type.Optional(text),
    startedAtMs: number,
    durationMs: number,
    probes: Type.Array(text),
  },
  strict,
);
export type ComparableSession = Static<typeof ComparableSessionSchema>;

/** One run of a side. */
export type ComparedRunView = {
  readonly id: string;
  readonly build: string;
  readonly startedAtMs: number;
  readonly runNumber?: number | undefined;
  readonly durationSec: number;
};

/** One side: who it is, and what its runs did. */
export type ComparedSideView = {
  readonly title: string;
  /** Of the first run; the gate says where they differ. */
  readonly era?: Era | undefined;
  readonly release?: string | undefined;
  readonly work?: RunWork | undefined;
  readonly isEmulated: boolean;
  /** In the order in which values of metrics stand. */
  readonly runs: readonly ComparedRunView[];
  /** Counts are the mean of a run; absent where the fault handler was not traced. */
  readonly path?: FaultPath | undefined;
  /** Counts of all runs together. */
  readonly assertion: Assertion;
};

/** The whole answer. */
export type ComparisonAnswer = {
  readonly baseline: ComparedSideView;
  /** The first candidate of `comparison`. */
  readonly candidate: ComparedSideView;
  /** Its further ones, in their order; absent where there is one candidate. */
  readonly furtherCandidates?: readonly ComparedSideView[] | undefined;
  readonly comparison: Comparison;
};

/** Each candidate's two halves: who it is, and what came of it. */
export function candidatesOf({ candidate, furtherCandidates = [], comparison }: ComparisonAnswer): readonly {
  readonly view: ComparedSideView;
  readonly compared: CandidateComparison;
}[] {
  const views = [candidate, ...furtherCandidates];
  return comparison.candidates.flatMap((compared, at) => {
    const view = views[at];
    return view === undefined ? [] : [{ view, compared }];
  });
}

/** A verdict as a word of the interface. */
export const VerdictSchema = Type.Unsafe<Verdict>(
  oneOf(['regressed', 'improved', 'same', 'different', 'need-more-runs', 'not-comparable']),
);
const PermutationSchema = Type.Object({ p: number, isExact: Type.Boolean() }, strict);
const tested = {
  low: number,
  high: number,
  p: number,
  pAdjusted: number,
  permutation: Type.Optional(PermutationSchema),
};

const TestSchema = Type.Union([
  Type.Object({ kind: Type.Literal('exact'), from: number, to: number }, strict),
  Type.Object({ kind: Type.Literal('ratio'), ratio: number, ...tested }, strict),
  Type.Object({ kind: Type.Literal('difference'), difference: number, ...tested }, strict),
  Type.Object({ kind: Type.Literal('none') }, strict),
]);

const MetricComparisonSchema = Type.Object(
  {
    metric: Type.Object(
      {
        id: text,
        title: text,
        unit: oneOf(['count', 'ns', 'share']),
        kind: oneOf(['amount', 'level', 'share', 'quantile']),
        better: oneOf(['lower', 'none']),
        decides: Type.Boolean(),
      },
      strict,
    ),
    baseline: Type.Array(number),
    candidate: Type.Array(number),
    test: TestSchema,
    verdict: VerdictSchema,
    why: Type.Optional(text),
    runsNeeded: optional,
  },
  strict,
);

const CandidateSchema = Type.Object(
  {
    title: text,
    runCount: Type.Integer(),
    verdict: VerdictSchema,
    sentence: text,
    runsNeeded: optional,
    gate: Type.Array(Type.Object({ name: text, level: oneOf(['blocking', 'note']), message: text }, strict)),
    findings: Type.Array(text),
    metrics: Type.Array(MetricComparisonSchema),
    shift: Type.Array(
      Type.Object(
        { quantile: number, baselineNs: number, candidateNs: number, ratio: number, low: number, high: number },
        strict,
      ),
    ),
    overlay: Type.Array(
      Type.Object(
        {
          ...{ lowNs: number, highNs: number, baselineShare: number, candidateShare: number },
          ...{ baselineUpTo: number, candidateUpTo: number },
        },
        strict,
      ),
    ),
    drifts: Type.Array(
      Type.Object({ metric: text, side: text, drift: Type.Object({ sharePerRun: number, p: number }, strict) }, strict),
    ),
  },
  strict,
);

const ComparisonSchema = Type.Object(
  {
    comparisonVersion: Type.Literal(1),
    thresholds: Type.Object({ marginShare: number, alpha: number }, strict),
    baseline: Type.Object(
      {
        title: text,
        runCount: Type.Integer(),
        noise: Type.Array(
          Type.Object(
            { metric: text, noise: Type.Object({ halfWidthShare: number, splitRatio: number }, strict) },
            strict,
          ),
        ),
      },
      strict,
    ),
    candidates: Type.Array(CandidateSchema),
    verdict: VerdictSchema,
  },
  strict,
);

const PathSchema = Type.Object(
  {
    era: EraSchema,
    nodes: Type.Array(
      Type.Object(
        {
          ...{ id: text, name: text, column: Type.Integer(), row: Type.Integer() },
          kind: oneOf(['measured', 'inlined', 'unmeasured']),
          ...{ total: optional, perSec: optional, p99Ns: optional },
          locks: Type.Array(Type.Object({ lock: text, count: number }, strict)),
          violations: number,
        },
        strict,
      ),
    ),
    edges: Type.Array(Type.Object({ from: text, to: text, count: number }, strict)),
  },
  strict,
);

const found = { key: text, process: text, count: number, stack: Type.Array(text) };

const SideSchema = Type.Object(
  {
    title: text,
    era: Type.Optional(EraSchema),
    release: Type.Optional(text),
    work: Type.Optional(SetupWorkloadSchema),
    isEmulated: Type.Boolean(),
    runs: Type.Array(
      Type.Object({ id: text, build: text, startedAtMs: number, runNumber: optional, durationSec: number }, strict),
    ),
    path: Type.Optional(PathSchema),
    assertion: Type.Object(
      {
        checks: number,
        violations: Type.Array(
          Type.Object(
            { ...found, site: text, expected: text, actual: text, kernel: text, mine: text, needed: text },
            strict,
          ),
        ),
        warns: Type.Array(Type.Object(found, strict)),
        warnsDue: number,
      },
      strict,
    ),
  },
  strict,
);

/** Its type is written by hand, since lists that come from the method are not to be changed; both ends check it. */
export const ComparisonAnswerSchema = Type.Unsafe<ComparisonAnswer>(
  Type.Object(
    {
      baseline: SideSchema,
      candidate: SideSchema,
      furtherCandidates: Type.Optional(Type.Array(SideSchema)),
      comparison: ComparisonSchema,
    },
    strict,
  ),
);

/** A difference heatmap, or a sentence on why there is none. */
export type DifferenceHeatAnswer = { readonly heat: DifferenceHeat } | { readonly why: string };

/** As ComparisonAnswerSchema: written by hand, checked at both ends. */
export const DifferenceHeatAnswerSchema = Type.Unsafe<DifferenceHeatAnswer>(
  Type.Union([
    Type.Object(
      {
        heat: Type.Object(
          {
            columnNs: number,
            columnCount: Type.Integer(),
            cells: Type.Array(
              Type.Object({ column: Type.Integer(), row: Type.Integer(), baseline: number, candidate: number }, strict),
            ),
            peak: number,
          },
          strict,
        ),
      },
      strict,
    ),
    Type.Object({ why: text }, strict),
  ]),
);
