/** Who a Linux machine is, asked of its target alone: files of proc and sysfs, so that host, guest and ssh read the same. */
import { gunzipSync } from 'node:zlib';
import { ok, type Result, type TargetIdentity } from '@faultline/shared';
import { ask } from './command.ts';
import { readText, type Target, type TargetError } from './target.ts';

/** Config options that decide what a probe sees, or what it costs. */
const configOfInterest = [
  'LOCKDEP',
  'DEBUG_VM',
  'DEBUG_RWSEMS',
  'PREEMPT_RT',
  'PER_VMA_LOCK',
  'PER_VMA_LOCK_STATS',
  'ARCH_SUPPORTS_HUGE_PFNMAP',
  'KPROBES',
  'FPROBE',
  'FUNCTION_TRACER',
  'DEBUG_INFO_BTF',
  'TRANSPARENT_HUGEPAGE',
];

/** Epoch ms minus the target's kernel clock in ms; undefined where it can't be told. */
export type ReadClockOffset = () => Promise<number | undefined>;

/** Reads everything that can be read; what can't is absent. Error: not even its release can be read, so it is not there. */
export async function readIdentity(
  target: Target,
  readClockOffset: ReadClockOffset,
): Promise<Result<TargetIdentity, TargetError>> {
  const text = async (path: string): Promise<string | undefined> => {
    const file = await readText(target, path);
    return file.ok ? file.value.trim() : undefined;
  };
  const release = await readText(target, '/proc/sys/kernel/osrelease');
  if (!release.ok) return release;
  const cpuinfo = (await text('/proc/cpuinfo')) ?? '';
  const machine = await ask(target, { program: 'uname', args: ['-m'], env: {} });
  const memoryKib = /^MemTotal:\s+(\d+) kB$/m.exec((await text('/proc/meminfo')) ?? '')?.[1];
  const pageKib = /^KernelPageSize:\s+(\d+) kB$/m.exec((await text('/proc/self/smaps')) ?? '')?.[1];
  const known = {
    version: await text('/proc/sys/kernel/version'),
    memoryBytes: memoryKib === undefined ? undefined : Number(memoryKib) * 1024,
    pageBytes: pageKib === undefined ? undefined : Number(pageKib) * 1024,
    thpMode: await readThpMode(target),
    bootId: await text('/proc/sys/kernel/random/boot_id'),
    cpuModel: /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1],
    virtualisation: await readVirtualisation(cpuinfo, text),
    bpftraceVersion: await readBpftraceVersion(target),
    clockOffsetMs: await readClockOffset(),
  };
  return ok({
    hostname: (await text('/proc/sys/kernel/hostname')) ?? 'unknown',
    release: release.value.trim(),
    machine: machine.ok && machine.value.code === 0 ? machine.value.stdout.trim() : 'unknown',
    cpuCount: Math.max(1, cpuinfo.match(/^processor\s*:/gm)?.length ?? 1),
    isEmulated: /QEMU TCG/.test(cpuinfo),
    isRealtime: (await text('/sys/kernel/realtime')) === '1',
    config: await readConfig(target, release.value.trim()),
    ...(known.version === undefined ? {} : { version: known.version }),
    ...(known.memoryBytes === undefined ? {} : { memoryBytes: known.memoryBytes }),
    ...(known.pageBytes === undefined ? {} : { pageBytes: known.pageBytes }),
    ...(known.thpMode === undefined ? {} : { thpMode: known.thpMode }),
    ...(known.bootId === undefined ? {} : { bootId: known.bootId }),
    ...(known.cpuModel === undefined ? {} : { cpuModel: known.cpuModel }),
    ...(known.virtualisation === undefined ? {} : { virtualisation: known.virtualisation }),
    ...(known.bpftraceVersion === undefined ? {} : { bpftraceVersion: known.bpftraceVersion }),
    ...(known.clockOffsetMs === undefined ? {} : { clockOffsetMs: known.clockOffsetMs }),
  });
}

/** Its setting of transparent huge pages at this moment (always, madvise, never); undefined where it can't be read. */
export async function readThpMode(target: Target): Promise<string | undefined> {
  const file = await readText(target, '/sys/kernel/mm/transparent_hugepage/enabled');
  return file.ok ? /\[(\w+)\]/.exec(file.value)?.[1] : undefined;
}

/** The version that bpftrace says it is ("0.17.0"); undefined where it can't be run. */
export async function readBpftraceVersion(target: Target): Promise<string | undefined> {
  const answer = await ask(target, { program: 'bpftrace', args: ['--version'], env: {} });
  return answer.ok ? /v?(\d+\.\d+(?:\.\d+)?)/.exec(answer.value.stdout)?.[1] : undefined;
}

async function readVirtualisation(
  cpuinfo: string,
  text: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)) return undefined;
  const vendor = await text('/sys/class/dmi/id/sys_vendor');
  const product = await text('/sys/class/dmi/id/product_name');
  return [vendor, product].filter((word) => word !== undefined && word !== '').join(' ') || 'hypervisor';
}

async function readConfig(target: Target, release: string): Promise<Record<string, string>> {
  const packed = await target.readFile('/proc/config.gz');
  const plain = packed.ok ? gunzip(packed.value) : await readText(target, `/boot/config-${release}`);
  if (!plain.ok) return {};
  const config: Record<string, string> = {};
  for (const option of configOfInterest) {
    const name = `CONFIG_${option}`;
    config[name] = new RegExp(`^${name}=(.*)$`, 'm').exec(plain.value)?.[1] ?? 'n';
  }
  return config;
}

function gunzip(bytes: Uint8Array): Result<string, TargetError> {
  try {
    return ok(gunzipSync(bytes, { maxOutputLength: 4 * 1024 * 1024 }).toString('utf8'));
  } catch {
    return { ok: false, error: { kind: 'failed', message: '/proc/config.gz is not readable as gzip' } };
  }
}
