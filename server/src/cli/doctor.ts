/** `faultline doctor`: whether tracing can work on a target, check by check, and what each stream would use. */
import { formatBytes, type Plan, type Preflight, type PreflightCheck, type TargetView } from '@faultline/shared';
import type { Tracing } from '../sessions/tracing.ts';
import { usageStatus } from './arguments.ts';
import { complaint, type Terminal } from './terminal.ts';
import { textTable } from '../exports/text-table.ts';

/** What `doctor` was told. */
export type DoctorRequest = { readonly targetId: string; readonly isJson: boolean };

/** Everything it found out; what `--json` prints. */
export type Diagnosis = {
  readonly target: TargetView;
  readonly preflight: Preflight;
  readonly plans: readonly Plan[];
  /** Nothing failed, and every stream that runs by default can. */
  readonly isWell: boolean;
};

/** Prints the diagnosis; exit status 0 all good, 1 something failed, 2 there is no such target. */
export async function doctor(tracing: Tracing, request: DoctorRequest, terminal: Terminal): Promise<number> {
  const preflight = await tracing.preflight(request.targetId);
  const plans = await tracing.plans(request.targetId);
  const target = (await tracing.targets()).find(({ id }) => id === request.targetId);
  if (!preflight.ok || !plans.ok || target === undefined) {
    const refusal = preflight.ok ? undefined : preflight.error;
    const planRefusal = plans.ok ? undefined : plans.error;
    const gone = { kind: 'target-problem', message: 'the target is gone', remedy: 'Try again.' };
    const { kind, message, remedy } = refusal ?? planRefusal ?? gone;
    terminal.err(complaint(message, remedy));
    return kind === 'unknown-target' ? usageStatus : 1;
  }
  const diagnosis = diagnose(tracing, target, preflight.value, plans.value);
  if (request.isJson) terminal.out(`${JSON.stringify(diagnosis, undefined, 2)}\n`);
  else terminal.out(`${describeDiagnosis(diagnosis, terminal.width).join('\n')}\n`);
  return diagnosis.isWell ? 0 : 1;
}

function diagnose(tracing: Tracing, target: TargetView, preflight: Preflight, plans: readonly Plan[]): Diagnosis {
  const isDefault = ({ probe, stream }: Plan): boolean =>
    tracing
      .probes()
      .some(({ name, streams }) => name === probe && streams.some((one) => one.name === stream && one.isDefault));
  const cannotRun = plans.some((plan) => plan.chosen === undefined && isDefault(plan));
  const hasFailed = preflight.checks.some(({ status }) => status === 'failed');
  return { target, preflight, plans, isWell: preflight.canTrace && !hasFailed && !cannotRun };
}

/** The diagnosis as text. */
function describeDiagnosis(diagnosis: Diagnosis, width: number): readonly string[] {
  const { target, preflight, plans, isWell } = diagnosis;
  const checks = textTable(
    [
      { title: 'status', align: 'left' },
      { title: 'check', align: 'left' },
      { title: 'found', align: 'left', wraps: true },
    ],
    preflight.checks.map((check) => [marks[check.status], check.title, foundAndRemedy(check)]),
    width,
  );
  const streams = textTable(
    [
      { title: 'stream', align: 'left' },
      { title: 'runs as', align: 'left' },
      { title: 'why not the others', align: 'left', wraps: true },
    ],
    plans.map((plan) => [`${plan.probe}:${plan.stream}`, plan.chosen ?? 'cannot run', whyNot(plan)]),
    width,
  );
  const verdict = isWell ? 'All good: tracing works here.' : verdictOf(preflight);
  return [describeTarget(target), '', ...checks, '', ...streams, '', verdict];
}

const marks: Readonly<Record<PreflightCheck['status'], string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  unknown: 'unknown',
};

function foundAndRemedy({ found, remedy, command }: PreflightCheck): string {
  return [
    found,
    ...(remedy === undefined ? [] : [`→ ${remedy}`]),
    ...(command === undefined ? [] : [`$ ${command}`]),
  ].join('\n');
}

function whyNot({ variants }: Plan): string {
  const unfit = variants.filter(({ fits }) => !fits);
  return unfit.map(({ name, reasons }) => `${name}: ${reasons.join('; ')}`).join('\n');
}

function verdictOf(preflight: Preflight): string {
  const failed = preflight.checks.filter(({ status }) => status === 'failed').map(({ title }) => title);
  const what = failed.length === 0 ? 'a stream that runs by default cannot attach' : `failed: ${failed.join(', ')}`;
  const can = preflight.canTrace ? 'Tracing works here, but not all of it' : 'Tracing cannot work here';
  return `${can}; ${what}. What to do is said above.`;
}

/** One line that says which kernel this is. */
export function describeTarget({ title, badge, identity, problem }: TargetView): string {
  if (identity === undefined) return [title, badge, problem].filter((part) => part !== undefined).join(' · ');
  const { hostname, release, machine, cpuCount, memoryBytes, virtualisation, bpftraceVersion } = identity;
  const parts = [
    badge === undefined ? title : `${title} (${badge})`,
    hostname,
    release,
    `${machine}, ${cpuCount} CPUs`,
    memoryBytes === undefined ? undefined : formatBytes(memoryBytes),
    virtualisation,
    bpftraceVersion === undefined ? undefined : `bpftrace ${bpftraceVersion}`,
  ];
  return parts.filter((part) => part !== undefined).join(' · ');
}
