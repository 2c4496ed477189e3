/** What tracing can do on a target, found by looking there: files of tracefs, BTF, symbols. */
import { readBpftraceVersion } from '../targets/identity.ts';
import { readText, type Target } from '../targets/target.ts';

/** `unknown`: this user may not look; the attempt to attach will tell. */
export type Answer = 'yes' | 'no' | 'unknown';

export type TargetCapabilities = {
  readonly bpftraceVersion: string | undefined;
  readonly hasBtf: boolean;
  readonly kprobes: Answer;
  readonly fentry: Answer;
  /** Why fentry can't be used, where it can't. */
  readonly fentryReason: string;
  /** Where tracefs is, as far as it can be seen. */
  readonly tracefs: string | undefined;
  hasTracepoint(name: string): Promise<Answer>;
  hasFunction(name: string): Promise<boolean>;
  /** Whether a function's whole name fits a pattern (`*` for any letters) and is another one than `besides`. */
  hasFunctionLike(pattern: string, besides: string): Promise<boolean>;
  /** Whether a function is part of the kernel itself, not of a module; false where that can't be told. */
  isBuiltIn(functionName: string): Promise<boolean>;
  hasModule(name: string): Promise<Answer>;
  /** Whether a module's own BTF (or that of `vmlinux`) names a type; `unknown` where that can't be read. */
  hasModuleType(module: string, type: string): Promise<Answer>;
  /** PREEMPT_RT: mmap_lock has another word. */
  readonly isRealtime: boolean;
};

const tracefsPlaces = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/** Looks at the target once; the answers hold until a module is loaded or tracefs mounted. */
export async function readCapabilities(target: Target): Promise<TargetCapabilities> {
  const tracefs = await findTracefs(target);
  const [bpftraceVersion, btf] = await Promise.all([
    readBpftraceVersion(target),
    target.exists('/sys/kernel/btf/vmlinux'),
  ]);
  const realtime = await readText(target, '/sys/kernel/realtime');
  // kallsyms is 10 MB: read only when a variant asks for a function, and once.
  let read: Promise<string | undefined> | undefined;
  const symbols = (): Promise<string | undefined> => {
    read ??= readText(target, '/proc/kallsyms').then((file) => (file.ok ? file.value : undefined));
    return read;
  };
  // The kernel's own BTF is 5 MB, asked for by every variant of what is built in.
  const files = new Map<string, ReturnType<Target['readFile']>>();
  const btfOf = (module: string): ReturnType<Target['readFile']> => {
    const file = files.get(module) ?? target.readFile(`/sys/kernel/btf/${module}`);
    files.set(module, file);
    return file;
  };
  const kprobes = tracefs === undefined ? 'unknown' : answerOf(await target.exists(`${tracefs}/kprobe_events`));
  const hasBtf = btf.ok && btf.value;
  // bpftrace reads the list of traceable functions under debugfs and refuses fentry where it can't (0.17 to 0.27).
  const list = await target.readFile('/sys/kernel/debug/tracing/available_filter_functions');
  const fentry: Answer = hasBtf && list.ok ? 'yes' : 'no';
  return {
    bpftraceVersion,
    hasBtf,
    kprobes,
    fentry,
    fentryReason: hasBtf
      ? `bpftrace can't use fentry here: ${list.ok ? '' : list.error.message}`
      : 'this kernel has no BTF (/sys/kernel/btf/vmlinux)',
    tracefs,
    hasTracepoint: async (name) => {
      if (tracefs === undefined) return 'unknown';
      return answerOf(await target.exists(`${tracefs}/events/${name.replace(':', '/')}/format`));
    },
    isRealtime: realtime.ok && realtime.value.trim() === '1',
    hasModule: async (name) => answerOf(await target.exists(`/sys/module/${name}`)),
    hasModuleType: async (module, type) => {
      const btf = await btfOf(module);
      if (!btf.ok) return 'unknown';
      // Names are NUL-ended texts at the end of the file; a module's own are those the kernel's BTF does not have.
      return Buffer.from(btf.value).includes(`\0${type}\0`) ? 'yes' : 'no';
    },
    hasFunction: async (name) => {
      const text = await symbols();
      // "ffffffff81234560 T name" with the module in brackets behind a tab; where it can't be read the attempt will tell.
      return text === undefined || new RegExp(`^[0-9a-f]+ [tT] ${name}(?:\\t|$)`, 'm').test(text);
    },
    isBuiltIn: async (name) => new RegExp(`^[0-9a-f]+ [tT] ${name}$`, 'm').test((await symbols()) ?? ''),
    hasFunctionLike: async (pattern, besides) => {
      const name = pattern.replaceAll('*', '[a-zA-Z0-9_]*');
      // Where kallsyms can't be read no unusual function is expected: the usual one is what the attempt is made with.
      const found = ((await symbols()) ?? '').matchAll(new RegExp(`^[0-9a-f]+ [tT] (${name})(?:\\t(.*))?$`, 'gm'));
      // A name in kallsyms may also be the padding before a function (__pfx_NAME), or a program of BPF that is attached to one.
      return found.some(([, one = '', module]) => one !== besides && !one.startsWith('__') && module !== '[bpf]');
    },
  };
}

async function findTracefs(target: Target): Promise<string | undefined> {
  for (const place of tracefsPlaces) {
    const events = await target.exists(`${place}/events`);
    if (events.ok && events.value) return place;
  }
  return undefined;
}

function answerOf(exists: Awaited<ReturnType<Target['exists']>>): Answer {
  if (!exists.ok) return 'unknown';
  return exists.value ? 'yes' : 'no';
}
