/** Puts the tracer of this installation together: the shipped probes, this host, the recordings. */
import { fileURLToPath } from 'node:url';
import { ok, type Result } from '@faultline/shared';
import { type CatalogueError, readCatalogue } from '../probes/catalogue.ts';
import { readRecordings } from '../probes/recordings.ts';
import { HostTarget } from '../targets/host.ts';
import { ReplayTarget } from '../targets/replay.ts';
import { SshTarget } from '../targets/ssh.ts';
import { Tracer, type TracerOptions } from './tracer.ts';

/** How bpftrace is run on this host, and which probe folders to take. */
export type OpenTracerOptions = {
  /** A program name or path. */
  readonly bpftrace: string;
  /** Words before it, such as ['sudo', '-n']. */
  readonly prefix: readonly string[];
  /** Machines over ssh, with bpftrace run there as here. */
  readonly ssh?: { readonly destinations: readonly string[]; readonly configFile: string | undefined } | undefined;
  /** Writes sessions down; absent: nothing is recorded. */
  readonly record?: TracerOptions['record'];
  /** Default: the probes folder of this installation. */
  readonly probesFolder?: string;
};

/** Reads the catalogue and the recordings; starts nothing. Error: a manifest that is not as it should be. */
export async function openTracer(options: OpenTracerOptions): Promise<Result<Tracer, CatalogueError>> {
  const folder = options.probesFolder ?? fileURLToPath(new URL('../../../probes', import.meta.url));
  const catalogue = await readCatalogue(folder);
  if (!catalogue.ok) return catalogue;
  const recordings = await readRecordings(catalogue.value);
  const host = new HostTarget({ bpftrace: options.bpftrace, prefix: options.prefix });
  const replays = recordings.length === 0 ? [] : [new ReplayTarget(recordings)];
  const { bpftrace, prefix, ssh } = options;
  const machines = (ssh?.destinations ?? []).map(
    (destination) => new SshTarget({ destination, configFile: ssh?.configFile, bpftrace, prefix }),
  );
  const targets = [host, ...replays, ...machines];
  return ok(new Tracer({ targets, probes: catalogue.value, clock: () => Date.now(), record: options.record }));
}
