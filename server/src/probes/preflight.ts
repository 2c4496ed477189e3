/** Named checks before tracing, each with what was found and a remedy. Asked of the target, never of the server's machine. */
import type { Preflight, PreflightCheck, ProbeManifest } from '@faultline/shared';
import { ask } from '../targets/command.ts';
import { readText, type Target } from '../targets/target.ts';
import { readCapabilities, type TargetCapabilities } from './capabilities.ts';
import { explainExit } from './failure.ts';
import { compareVersions } from './planner.ts';

const oldestBpftrace = '0.17';

/** All checks; `ownPids` are the bpftraces of our own runs there. canTrace is the last one's answer: a real program was really attached. */
export async function preflight(
  target: Target,
  probes: readonly ProbeManifest[],
  ownPids: readonly number[],
): Promise<Preflight> {
  if (target.hasRecording('') !== undefined)
    return { targetId: target.id, canTrace: true, checks: [replayCheck(target)] };
  const capabilities = await readCapabilities(target);
  const checks = [
    checkBpftrace(capabilities),
    await checkPermission(target),
    checkTracefs(capabilities),
    await checkTracepoints(capabilities, probes),
    checkBtf(capabilities),
    checkFunctionTracing(capabilities),
    await checkLockdown(target),
    await checkOtherTracers(target, ownPids),
  ];
  const attach = await checkAttach(target, capabilities);
  return { targetId: target.id, canTrace: attach.status === 'ok', checks: [...checks, attach] };
}

function replayCheck(target: Target): PreflightCheck {
  return { name: 'recording', title: 'recording', status: 'ok', found: target.badge ?? 'a recording' };
}

function checkBpftrace(capabilities: TargetCapabilities): PreflightCheck {
  const base = { name: 'bpftrace', title: 'bpftrace' };
  const version = capabilities.bpftraceVersion;
  const command = 'sudo apt-get install bpftrace';
  if (version === undefined) {
    return {
      ...base,
      status: 'failed',
      found: 'not there, or it can’t be run',
      remedy: 'Install the system package.',
      command,
    };
  }
  if (compareVersions(version, oldestBpftrace) >= 0) return { ...base, status: 'ok', found: version };
  return {
    ...base,
    status: 'failed',
    found: version,
    remedy: `The scripts are written for ${oldestBpftrace} and newer.`,
    command,
  };
}

async function checkPermission(target: Target): Promise<PreflightCheck> {
  const base = { name: 'permission', title: 'root or capabilities' };
  const status = await readText(target, '/proc/self/status');
  const uid = status.ok ? /^Uid:\s+\d+\s+(\d+)/m.exec(status.value)?.[1] : undefined;
  const effective = status.ok ? /^CapEff:\s+([0-9a-f]+)/m.exec(status.value)?.[1] : undefined;
  if (uid === '0') return { ...base, status: 'ok', found: 'root' };
  // CAP_PERFMON is bit 38, CAP_BPF bit 39 (include/uapi/linux/capability.h).
  const wanted = 3n << 38n;
  const has = effective !== undefined && (BigInt(`0x${effective}`) & wanted) === wanted;
  return {
    ...base,
    status: has ? 'ok' : 'warning',
    found: has ? 'CAP_BPF and CAP_PERFMON' : `user ${uid ?? 'unknown'} without CAP_BPF and CAP_PERFMON`,
    ...(has
      ? {}
      : {
          remedy:
            'Start Faultline as root, or give a prefix: --bpftrace-prefix "sudo -n". The last check says whether it works.',
        }),
  };
}

function checkTracefs(capabilities: TargetCapabilities): PreflightCheck {
  const base = { name: 'tracefs', title: 'tracefs' };
  if (capabilities.tracefs !== undefined) return { ...base, status: 'ok', found: capabilities.tracefs };
  return {
    ...base,
    status: 'warning',
    found: 'not mounted, or this user may not look',
    remedy: 'Tracepoints are described there; mount it.',
    command: 'sudo mount -t tracefs tracefs /sys/kernel/tracing',
  };
}

async function checkTracepoints(
  capabilities: TargetCapabilities,
  probes: readonly ProbeManifest[],
): Promise<PreflightCheck> {
  const base = { name: 'tracepoints', title: 'tracepoints' };
  const names = new Set(
    probes.flatMap((probe) =>
      probe.streams.flatMap((stream) => stream.variants.flatMap((variant) => variant.requires.tracepoints)),
    ),
  );
  const missing: string[] = [];
  let unknownCount = 0;
  for (const name of names) {
    const answer = await capabilities.hasTracepoint(name);
    if (answer === 'no') missing.push(name);
    if (answer === 'unknown') unknownCount += 1;
  }
  if (missing.length > 0) {
    const remedy = 'This kernel was built without them; the probes that need them say so.';
    return { ...base, status: 'warning', found: `missing: ${missing.join(', ')}`, remedy };
  }
  if (unknownCount > 0)
    return { ...base, status: 'unknown', found: `${unknownCount} of ${names.size} can’t be looked up (tracefs)` };
  return { ...base, status: 'ok', found: `all ${names.size} that the probes need` };
}

function checkBtf(capabilities: TargetCapabilities): PreflightCheck {
  const base = { name: 'btf', title: 'kernel type information (BTF)' };
  if (capabilities.hasBtf) return { ...base, status: 'ok', found: '/sys/kernel/btf/vmlinux' };
  const remedy = 'Probes that read kernel structures need a kernel with CONFIG_DEBUG_INFO_BTF.';
  return { ...base, status: 'warning', found: 'not there', remedy };
}

function checkFunctionTracing(capabilities: TargetCapabilities): PreflightCheck {
  const base = { name: 'functions', title: 'kprobes and fentry' };
  const found = `kprobes: ${capabilities.kprobes}; fentry: ${capabilities.fentry}`;
  if (capabilities.kprobes === 'yes' || capabilities.fentry === 'yes') return { ...base, status: 'ok', found };
  const remedy = 'Probes on kernel functions can’t attach here; those on tracepoints can.';
  return { ...base, status: capabilities.kprobes === 'unknown' ? 'unknown' : 'warning', found, remedy };
}

async function checkLockdown(target: Target): Promise<PreflightCheck> {
  const base = { name: 'lockdown', title: 'kernel lockdown' };
  const file = await readText(target, '/sys/kernel/security/lockdown');
  if (!file.ok) {
    const isAbsent = file.error.kind === 'not-found';
    return { ...base, status: isAbsent ? 'ok' : 'unknown', found: isAbsent ? 'not built in' : file.error.message };
  }
  const mode = /\[(\w+)\]/.exec(file.value)?.[1] ?? 'none';
  if (mode !== 'confidentiality') return { ...base, status: 'ok', found: mode };
  return {
    ...base,
    status: 'failed',
    found: mode,
    remedy: 'Confidentiality forbids BPF to read kernel memory: boot with lockdown=integrity or none.',
  };
}

/** Other bpftrace processes cost the traced machine too and would be taken for Faultline's own cost. */
async function checkOtherTracers(target: Target, ownPids: readonly number[]): Promise<PreflightCheck> {
  const base = { name: 'other-tracers', title: 'other tracers' };
  const answer = await ask(target, { program: 'ps', args: ['-eo', 'pid=,comm='], env: {} });
  if (!answer.ok || answer.value.code !== 0) return { ...base, status: 'unknown', found: 'processes can’t be listed' };
  const others = answer.value.stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([pid, name]) => /^(bpftrace|perf|trace-cmd|stap)$/.test(name ?? '') && !ownPids.includes(Number(pid)))
    .map(([pid, name]) => `${name} (${pid})`);
  if (others.length === 0) return { ...base, status: 'ok', found: 'none' };
  return {
    ...base,
    status: 'warning',
    found: others.join(', '),
    remedy: 'They slow the traced calls too; stop them for exact latencies.',
  };
}

/** The only check that proves anything: a program is attached and says READY. A constant text, never a user's. */
async function checkAttach(target: Target, capabilities: TargetCapabilities): Promise<PreflightCheck> {
  const base = { name: 'attach', title: 'a real program attaches' };
  if (capabilities.bpftraceVersion === undefined)
    return { ...base, status: 'failed', found: 'no bpftrace to try with' };
  const program = 'BEGIN { printf("READY %llu\\n", nsecs); exit(); } tracepoint:sched:sched_process_exit /0/ { }';
  const answer = await ask(target, { program: 'bpftrace', args: ['-e', program], env: {} });
  if (!answer.ok) return { ...base, status: 'failed', found: answer.error.message, remedy: 'See the checks above.' };
  const { code, stdout, stderr } = answer.value;
  if (code === 0 && stdout.includes('READY ')) return { ...base, status: 'ok', found: 'attached, ran, detached' };
  const why = explainExit(code === undefined ? {} : { code }, {
    probe: 'bpftrace',
    script: 'trial',
    wasReady: false,
    stderr,
  });
  return { ...base, status: 'failed', found: why.message, remedy: why.remedy };
}
