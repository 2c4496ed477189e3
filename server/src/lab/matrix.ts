/** A matrix of comparisons as a file: kernels × workloads × sizes of the BAR × alignments, so many runs each (lab/matrix.toml). */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  compareSeriesRunsMax,
  compareSidesMax,
  err,
  formatBytes,
  matrixBytesMax,
  ok,
  type Result,
} from '@faultline/shared';
import { parse, TomlError } from 'smol-toml';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { parseBarBytes } from './bar-words.ts';
import { absoluteKernel } from './kernel-words.ts';
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
    kernels: axis(Type.String({ pattern: '^[^\\u0000-\\u001f\\u007f]{1,1000}$' }), 2, compareSidesMax),
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
 * The comparisons of the matrix in a file. Folders of kernels that are relative in it begin at the file's own folder, so that it says the same to
 * whoever reads it. Error: there is no such file, it is too large, or it is no matrix.
 */
export async function readMatrixFile(file: string): Promise<Result<readonly SeriesPlan[], MatrixError>> {
  const read = await readSmallFile(file);
  const plans = read.ok ? readMatrix(read.value, dirname(file)) : read;
  return plans.ok ? plans : err({ ...plans.error, message: `${file}: ${plans.error.message}` });
}

/** A pipe or a device would be read for ever. */
async function readSmallFile(file: string): Promise<Result<string, MatrixError>> {
  try {
    const found = await stat(file);
    if (!found.isFile()) return err({ message: 'this is no file', remedy });
    if (found.size > matrixBytesMax) return err(badMatrix(`it has more than ${formatBytes(matrixBytesMax)}`));
    return ok(await readFile(file, 'utf8'));
  } catch (error) {
    return err({ message: error instanceof Error ? error.message : String(error), remedy });
  }
}

/**
 * The comparisons of a matrix, in the order of the file; `from` is where relative folders of kernels begin. Where the kernel chooses the
 * address (files mapped through sysfs), nothing is misaligned, and that comparison is left out.
 */
export function readMatrix(text: string, from: string): Result<readonly SeriesPlan[], MatrixError> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return err(badMatrix(complaintOf(error)));
  }
  if (!validator.Check(value)) {
    const [first] = validator.Errors(value);
    return err(badMatrix(`${first?.instancePath || '/'}: ${first?.message ?? 'does not fit'}`));
  }
  const { misaligned = [false], runs = defaultRunCount } = value;
  const kernels = value.kernels.map((kernel) => absoluteKernel(kernel, from));
  const sizes: number[] = [];
  for (const bar of value.bars) {
    const barBytes = parseBarBytes(bar);
    if (!barBytes.ok) return barBytes;
    sizes.push(barBytes.value);
  }
  if (new Set(kernels).size < kernels.length) return err(badMatrix('two of its kernels are the same folder'));
  if (new Set(sizes).size < sizes.length) return err(badMatrix('two of its bars are the same size'));
  const plans: SeriesPlan[] = [];
  for (const workload of value.workloads) {
    const takesAlignment = workloads.find(({ name }) => name === workload)?.takesAlignment === true;
    for (const barBytes of sizes) {
      for (const isMisaligned of misaligned) {
        if (isMisaligned && !takesAlignment) continue;
        const request = { workload, barBytes, isMisaligned, repetitions: 1, threads: undefined };
        plans.push({ kernels, workload: request, runCount: runs });
      }
    }
  }
  return ok(plans);
}

/** Where it is wrong, in one line: the parser would draw it. */
function complaintOf(error: unknown): string {
  if (!(error instanceof TomlError)) return String(error);
  const [what = ''] = error.message.split('\n');
  return `line ${error.line}, column ${error.column}: ${what}`;
}

function badMatrix(message: string): MatrixError {
  return { message: `this is no matrix: ${message}`, remedy };
}

const remedy =
  'Correct it, or give another with --matrix FILE; lab/matrix.toml of Faultline shows what one looks like.';
