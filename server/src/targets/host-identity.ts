/** Who a Linux machine is, read through its target: files of proc and sysfs, so that a guest or ssh target reads the same. */
import { hostname, machine, release, totalmem, version } from 'node:os';
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

/** Reads everything that can be read; what can't is absent. */
export async function readHostIdentity(target: Target): Promise<Result<TargetIdentity, TargetError>> {
  const text = async (path: string): Promise<string | undefined> => {
    const file = await readText(target, path);
    return file.ok ? file.value : undefined;
  };
  const cpuinfo = (await text('/proc/cpuinfo')) ?? '';
  const pageKib = /^KernelPageSize:\s+(\d+) kB$/m.exec((await text('/proc/self/smaps')) ?? '')?.[1];
  const thpMode = /\[(\w+)\]/.exec((await text('/sys/kernel/mm/transparent_hugepage/enabled')) ?? '')?.[1];
  const bootId = (await text('/proc/sys/kernel/random/boot_id'))?.trim();
  const cpuModel = /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1];
  const virtualisation = await readVirtualisation(cpuinfo, text);
  const bpftraceVersion = await readBpftraceVersion(target);
  return ok({
    hostname: hostname(),
    release: release(),
    version: version(),
    machine: machine(),
    cpuCount: Math.max(1, cpuinfo.match(/^processor\s*:/gm)?.length ?? 1),
    memoryBytes: totalmem(),
    isEmulated: /QEMU TCG/.test(cpuinfo),
    config: await readConfig(target),
    clockOffsetMs: clockOffsetMs(await text('/proc/uptime')),
    ...(pageKib === undefined ? {} : { pageBytes: Number(pageKib) * 1024 }),
    ...(thpMode === undefined ? {} : { thpMode }),
    ...(bootId === undefined ? {} : { bootId }),
    ...(cpuModel === undefined ? {} : { cpuModel }),
    ...(virtualisation === undefined ? {} : { virtualisation }),
    ...(bpftraceVersion === undefined ? {} : { bpftraceVersion }),
  });
}

/** The version that bpftrace says it is ("0.17.0"); undefined where it can't be run. */
export async function readBpftraceVersion(target: Target): Promise<string | undefined> {
  const answer = await ask(target, { program: 'bpftrace', args: ['--version'], env: {} });
  return answer.ok ? /v?(\d+\.\d+(?:\.\d+)?)/.exec(answer.value.stdout)?.[1] : undefined;
}

/**
 * Wall clock minus the clock of bpftrace's nsecs, ms. `nsecs` counts the time asleep too (CLOCK_BOOTTIME), Node's hrtime
 * does not; /proc/uptime does, but only to 10 ms, so it is used for the time asleep alone.
 */
function clockOffsetMs(uptime: string | undefined): number {
  const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
  const asleepMs = Number(uptime?.split(' ')[0] ?? Number.NaN) * 1000 - monotonicMs;
  return Date.now() - monotonicMs - (asleepMs > 50 ? asleepMs : 0);
}

async function readVirtualisation(
  cpuinfo: string,
  text: (path: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)) return undefined;
  const vendor = (await text('/sys/class/dmi/id/sys_vendor'))?.trim();
  const product = (await text('/sys/class/dmi/id/product_name'))?.trim();
  return [vendor, product].filter((word) => word !== undefined && word !== '').join(' ') || 'hypervisor';
}

async function readConfig(target: Target): Promise<Record<string, string>> {
  const packed = await target.readFile('/proc/config.gz');
  const plain = packed.ok ? gunzip(packed.value) : await readText(target, `/boot/config-${release()}`);
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
