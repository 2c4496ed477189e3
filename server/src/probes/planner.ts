/** Which variant of each stream can attach on a target, and for the others why not. Asks the target, never `uname`. */
import { join } from 'node:path';
import type { Plan, Stream, Variant } from '@faultline/shared';
import type { Target } from '../targets/target.ts';
import { type Answer, readCapabilities, type TargetCapabilities } from './capabilities.ts';
import type { CataloguedProbe } from './catalogue.ts';

/** Plans for every stream of every probe. */
export async function planAll(target: Target, probes: readonly CataloguedProbe[]): Promise<readonly Plan[]> {
  const capabilities = await readCapabilities(target);
  const plans: Plan[] = [];
  for (const probe of probes) {
    for (const stream of probe.manifest.streams) plans.push(await planStream(target, capabilities, probe, stream));
  }
  return plans;
}

/** The plan of one stream: the first variant that fits is chosen. */
export async function planStream(
  target: Pick<Target, 'hasRecording'>,
  capabilities: TargetCapabilities,
  probe: CataloguedProbe,
  stream: Stream,
): Promise<Plan> {
  const variants = [];
  for (const variant of stream.variants) {
    const isRecorded = target.hasRecording(join(probe.folder, variant.script));
    const notRecorded = isRecorded === true ? [] : ['there is no recording of it'];
    const reasons = isRecorded === undefined ? await reasonsAgainst(capabilities, variant) : notRecorded;
    variants.push({ name: variant.name, attach: variant.attach, fits: reasons.length === 0, reasons });
  }
  const chosen = variants.find((variant) => variant.fits)?.name;
  return { probe: probe.manifest.name, stream: stream.name, variants, ...(chosen === undefined ? {} : { chosen }) };
}

/** Every reason why a variant can't attach; none: it fits. What can't be told (no permission to look) is no reason. */
async function reasonsAgainst(capabilities: TargetCapabilities, variant: Variant): Promise<string[]> {
  const reasons: string[] = [];
  const version = capabilities.bpftraceVersion;
  if (version === undefined) reasons.push('bpftrace is not there');
  else if (compareVersions(version, variant.bpftraceMin) < 0) {
    reasons.push(`needs bpftrace ${variant.bpftraceMin} or newer, found ${version}`);
  } else if (variant.bpftraceBelow !== undefined && compareVersions(version, variant.bpftraceBelow) >= 0) {
    reasons.push(`written for bpftrace before ${variant.bpftraceBelow}, found ${version}`);
  }
  for (const tracepoint of variant.requires.tracepoints) {
    if ((await capabilities.hasTracepoint(tracepoint)) === 'no')
      reasons.push(`this kernel has no tracepoint ${tracepoint}`);
  }
  if (variant.requires.btf && !capabilities.hasBtf) reasons.push('this kernel has no BTF (/sys/kernel/btf/vmlinux)');
  if (variant.attach === 'kprobe' && capabilities.kprobes === 'no') {
    reasons.push('this kernel was built without kprobes (CONFIG_KPROBES)');
  }
  if (variant.attach === 'fentry' && capabilities.fentry !== 'yes') reasons.push(capabilities.fentryReason);
  if (variant.requires.lockWord === 'rwsem' && capabilities.isRealtime) {
    reasons.push('this kernel is PREEMPT_RT: its mmap_lock has another word, which this script would misread');
  }
  if (variant.requires.lockWord === 'rwbase' && !capabilities.isRealtime) {
    reasons.push('this kernel is not PREEMPT_RT: its mmap_lock has another word, which this script would misread');
  }
  const builtIn = new Set<string>();
  for (const name of variant.requires.modules ?? []) {
    if ((await capabilities.hasModule(name)) !== 'no') continue;
    const functions = await Promise.all(variant.requires.functions.map((one) => capabilities.isBuiltIn(one)));
    if (!functions.every(Boolean)) {
      // Its functions and types are not there either: one reason says it all.
      return [...reasons, `this kernel has no module ${name} loaded: load it, or boot a kernel of the lab`];
    }
    builtIn.add(name);
    if (variant.attach === 'fentry') reasons.push(`${name} is built into this kernel; the script names it as a module`);
  }
  for (const name of variant.requires.functions) {
    if (!(await capabilities.hasFunction(name))) reasons.push(`this kernel has no function ${name} that can be traced`);
  }
  for (const name of variant.requires.absentFunctions ?? []) {
    if (await capabilities.hasFunction(name)) reasons.push(`this kernel has the function ${name}`);
  }
  for (const { pattern, besides } of variant.requires.functionsLike ?? []) {
    if (!(await capabilities.hasFunctionLike(pattern, besides)))
      reasons.push(`this kernel has no function ${pattern} besides ${besides}`);
  }
  return [...reasons, ...(await typeReasons(capabilities, variant, builtIn))];
}

/** Types tell apart what has the same function names. Where a module has no BTF, nothing can be told, and nothing fits. */
async function typeReasons(
  capabilities: TargetCapabilities,
  variant: Variant,
  builtIn: ReadonlySet<string>,
): Promise<readonly string[]> {
  const reasons: string[] = [];
  const hasType = (module: string, type: string): Promise<Answer> =>
    capabilities.hasModuleType(builtIn.has(module) ? 'vmlinux' : module, type);
  for (const { module, type } of variant.requires.btfTypes ?? []) {
    const answer = await hasType(module, type);
    if (answer === 'no') reasons.push(`module ${module} has no type ${type}`);
    if (answer === 'unknown') reasons.push(`module ${module} has no BTF to look for ${type}`);
  }
  for (const { module, type } of variant.requires.absentBtfTypes ?? []) {
    const answer = await hasType(module, type);
    if (answer === 'yes') reasons.push(`module ${module} has the type ${type}`);
    if (answer === 'unknown') reasons.push(`module ${module} has no BTF to look for ${type}`);
  }
  return reasons;
}

/** Compares "0.17.0" with "0.9" by numbers: negative when left is older. */
export function compareVersions(left: string, right: string): number {
  const numbers = (version: string): readonly number[] => version.split('.').map(Number);
  const [a, b] = [numbers(left), numbers(right)];
  for (let part = 0; part < Math.max(a.length, b.length); part += 1) {
    const difference = (a[part] ?? 0) - (b[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
