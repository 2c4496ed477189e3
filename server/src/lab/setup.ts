/** Writes into a session's manifest what was run in the guest, so that runs can be put side by side later. */
import { deviceBdf } from '@faultline/lab';
import type { SessionManifest, SessionSetup, SetupWorkload } from '@faultline/shared';
import type { Library } from '../sessions/library.ts';
import type { Tracing } from '../sessions/tracing.ts';
import type { GuestTarget } from '../targets/guest.ts';
import { type WorkloadRequest, wordsOf } from './workload.ts';

/** What ran where. */
export type WorkloadUse = {
  /** By its name in the lab's list, or a folder. */
  readonly kernel: string;
  readonly target: GuestTarget;
  readonly request: WorkloadRequest;
  /** What it has printed, if it has ended. */
  readonly lines: readonly string[];
};

/**
 * Says it of the session that records the guest; nothing happens where none does. What can't be written is told in
 * the answer, since the figures are there all the same.
 */
export async function noteWorkload(
  library: Library | undefined,
  tracing: Tracing,
  use: WorkloadUse,
): Promise<string | undefined> {
  const session = await tracing.session(use.target.id);
  const id = session.ok ? session.value.view().recording?.id : undefined;
  if (library === undefined || id === undefined || id === '') return undefined;
  const edited = library.edit(id, (before) => setupAfter(before, use));
  return edited.ok ? undefined : edited.error.message;
}

/** The setup with one more workload in it. One after a different one makes the session a run of neither. */
export function setupAfter(
  before: Pick<SessionManifest, 'setup' | 'workload'>,
  { kernel, target, request, lines }: WorkloadUse,
): Required<Pick<SessionManifest, 'setup' | 'workload'>> {
  const workload = workloadOf(request);
  const known = before.setup?.workload;
  const isFirst = before.workload === undefined;
  const isSame = known !== undefined && JSON.stringify(known) === JSON.stringify(workload);
  const names = isFirst ? [] : (before.workload?.split(', ') ?? []);
  const { workload: _workload, printed: _printed, ...rest } = before.setup ?? {};
  const printed = printedOf(lines) ?? (isSame ? before.setup?.printed : undefined);
  const setup: SessionSetup = {
    ...rest,
    build: kernel,
    ...(target.guest.build === undefined ? {} : { module: target.guest.build }),
    accelerator: target.isEmulated ? 'tcg' : 'kvm',
    device: deviceBdf,
    ...(isFirst || isSame ? { workload, ...(printed === undefined ? {} : { printed }) } : {}),
  };
  // As long as a name may be.
  const all = [...new Set([...names, request.workload])].join(', ').slice(0, 120);
  return { setup, workload: all };
}

function workloadOf(request: WorkloadRequest): SetupWorkload {
  const { workload: name, barBytes, isMisaligned, threads, repetitions } = request;
  const heeded = threads === undefined ? {} : { threads };
  return { name, arguments: [...wordsOf(request)], barBytes, isMisaligned, repetitions, ...heeded };
}

/** The last line that is an object, its plain fields only. */
function printedOf(lines: readonly string[]): SessionSetup['printed'] {
  for (const line of lines.toReversed()) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
    const fields = Object.entries(value).filter(([name, field]) => isPlain(name, field));
    return Object.fromEntries(fields.slice(0, 64));
  }
  return undefined;
}

function isPlain(name: string, field: unknown): boolean {
  if (!/^[a-zA-Z][a-zA-Z0-9_]{0,59}$/.test(name)) return false;
  if (typeof field === 'string') return field.length <= 200 && !/\p{Cc}/u.test(field);
  return typeof field === 'boolean' || (typeof field === 'number' && Number.isFinite(field));
}
