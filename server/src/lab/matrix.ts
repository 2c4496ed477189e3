/** A matrix of comparisons as a file: kernels × workloads × sizes of the BAR × alignments, so many runs each (lab/matrix.toml). */
import { compareSeriesRunsMax, compareSidesMax, err, ok, type Result } from '@faultline/shared';
import { parse } from 'smol-toml';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { workloads, type WorkloadRequest } from './workload.ts';

/** One comparison: a workload in each of the kernels, of which the first is the baseline. */
export type SeriesPlan = {
  readonly kernels: readonly string[];
  readonly workload: WorkloadRequest;
  readonly runCount: number;
};

/** Why a file is no matrix. */
export type MatrixError = { readonly message: string; readonly remedy: string };

/** Values of one axis. */
const axis = <T extends Parameters<typeof Type.Array>[0]>(item: T, minItems: number, maxItems: number) =>
  Type.Array(item, { minItems, maxItems, uniqueItems: true });
const MatrixSchema = Type.Object(
  {
    kernels: axis(Type.String({ minLength: 1, maxLength: 1_000 }), 2, compareSidesMax),
    workloads: axis(Type.Union(workloads.map(({ name }) => Type.Literal(name))), 1, 32),
    bars: axis(Type.String(), 1, 16),
    misaligned: Type.Optional(axis(Type.Boolean(), 1, 2)),
    runs: Type.Optional(Type.Integer({ minimum: 1, maximum: compareSeriesRunsMax })),
  },
  { additionalProperties: false },
);
const validator = Compile(MatrixSchema);

/** Runs of each kernel where the file does not say. */
const defaultRunCount = 10;

/**
 * The comparisons of a matrix, in the order of the file. `parseBar` reads a size such as 64M. Where the kernel chooses the
 * address (files mapped through sysfs), nothing is misaligned, and that comparison is left out.
 */
export function readMatrix(
  text: string,
  parseBar: (word: string) => Result<number, MatrixError>,
): Result<readonly SeriesPlan[], MatrixError> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return err(badMatrix(error instanceof Error ? error.message : String(error)));
  }
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value);
    return err(badMatrix(`${first?.instancePath || '/'}: ${first?.message ?? 'does not fit'}`));
  }
  const { kernels, misaligned = [false], runs = defaultRunCount } = value;
  const plans: SeriesPlan[] = [];
  for (const workload of value.workloads) {
    const takesAlignment = workloads.find(({ name }) => name === workload)?.takesAlignment === true;
    for (const bar of value.bars) {
      const barBytes = parseBar(bar);
      if (!barBytes.ok) return barBytes;
      for (const isMisaligned of misaligned) {
        if (isMisaligned && !takesAlignment) continue;
        const request = { workload, barBytes: barBytes.value, isMisaligned, repetitions: 1, threads: undefined };
        plans.push({ kernels, workload: request, runCount: runs });
      }
    }
  }
  return ok(plans);
}

function badMatrix(message: string): MatrixError {
  return { message: `this is no matrix: ${message}`, remedy: 'lab/matrix.toml shows what one looks like.' };
}
