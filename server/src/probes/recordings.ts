/** The recordings that probe folders bring: captured output of real runs, played where nothing can be traced. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Recording } from '../targets/replay.ts';
import type { CataloguedProbe } from './catalogue.ts';

/** What stands beside each captured file, written at the capture. */
export const CaptureSchema = Type.Object(
  {
    stream: Type.String(),
    variant: Type.String(),
    script: Type.String(),
    bpftrace: Type.String(),
    kernel: Type.String(),
    machine: Type.String(),
    cpuCount: Type.Integer(),
    isEmulated: Type.Boolean(),
    capturedOn: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }),
    parameters: Type.Array(Type.Integer()),
    workload: Type.String(),
    /** What the load generator says it did, one object a process. */
    truth: Type.Array(Type.Record(Type.String(), Type.Unknown())),
  },
  { additionalProperties: false },
);
export type Capture = Static<typeof CaptureSchema>;

const validator = Compile(CaptureSchema);

/** All recording.*.jsonl.gz of the probes whose meta file is valid. */
export async function readRecordings(probes: readonly CataloguedProbe[]): Promise<readonly Recording[]> {
  const recordings: Recording[] = [];
  for (const probe of probes) {
    for (const name of await readdir(probe.folder)) {
      if (!/^recording\..+\.jsonl\.gz$/.test(name)) continue;
      const capture = await readCapture(join(probe.folder, name.replace(/\.jsonl\.gz$/, '.meta.json')));
      if (capture === undefined) continue;
      recordings.push({
        probe: probe.manifest.name,
        script: capture.script,
        file: join(probe.folder, name),
        bpftraceVersion: capture.bpftrace,
        release: capture.kernel,
        capturedOn: capture.capturedOn,
        hostname: 'recorded',
        cpuCount: capture.cpuCount,
      });
    }
  }
  return recordings;
}

/** One meta file; undefined where it is not there or not as it should be. */
export async function readCapture(file: string): Promise<Capture | undefined> {
  const value: unknown = await readFile(file, 'utf8')
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  return validator.Check(value) ? value : undefined;
}
