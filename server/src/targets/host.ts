/** The machine the server runs on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { access, open } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { err, ok, pipeCloseMaxMs, type Result, type TargetIdentity, targetFileBytesMax } from '@faultline/shared';
import { type BpftraceWords, commandWords } from './command.ts';
import { readIdentity } from './identity.ts';
import { type Exit, type ProcessSpec, readText, type Target, type TargetError, type TargetProcess } from './target.ts';

export class HostTarget implements Target {
  readonly id = 'host';
  readonly kind = 'host';
  readonly title = 'this host';
  readonly badge = undefined;
  private readonly options: BpftraceWords;
  private readonly alive = new Set<ChildProcess>();

  constructor(options: BpftraceWords) {
    this.options = options;
    // However this process ends, short of SIGKILL: no bpftrace is left behind. (After SIGKILL it dies of its closed pipe.)
    process.once('exit', this.killAll);
  }

  async identity(): Promise<Result<TargetIdentity, TargetError>> {
    return readIdentity(this, () => this.clockOffsetMs());
  }

  async readFile(path: string): Promise<Result<Uint8Array, TargetError>> {
    try {
      await using file = await open(path, 'r');
      const chunks: Uint8Array[] = [];
      let size = 0;
      // Files of proc, sysfs and tracefs have no size, and give a page at a time: read until the end, into one buffer.
      const buffer = Buffer.alloc(64 * 1024);
      for (;;) {
        const { bytesRead } = await file.read(buffer);
        if (bytesRead === 0) return ok(Buffer.concat(chunks));
        size += bytesRead;
        if (size > targetFileBytesMax) return err({ kind: 'too-large', message: `${path} is larger than 32 MiB` });
        chunks.push(Buffer.from(buffer.subarray(0, bytesRead)));
      }
    } catch (cause) {
      return err(fileError(path, cause));
    }
  }

  async exists(path: string): Promise<Result<boolean, TargetError>> {
    try {
      await access(path);
      return ok(true);
    } catch (cause) {
      const error = fileError(path, cause);
      return error.kind === 'not-found' ? ok(false) : err(error);
    }
  }

  async placeScript(localPath: string): Promise<Result<string, TargetError>> {
    return ok(localPath);
  }

  hasRecording(): undefined {
    return undefined;
  }

  start(spec: ProcessSpec): TargetProcess {
    const [program, ...args] = commandWords(this.options, spec);
    // A group of its own: Ctrl-C in the terminal reaches the server alone, which then stops bpftrace in order.
    const child = spawn(program ?? spec.program, args, {
      env: { ...process.env, ...spec.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.alive.add(child);
    for (const end of ['close', 'error']) child.once(end, () => this.alive.delete(child));
    const prefix = spec.program === 'bpftrace' ? this.options.prefix : [];
    return ownProcess(child, program ?? spec.program, (name, pid) => this.signal(child, prefix, name, pid));
  }

  /**
   * `nsecs` of bpftrace counts the time asleep too (CLOCK_BOOTTIME), Node's hrtime does not; /proc/uptime does, but only
   * to 10 ms, so it is used for the time asleep alone.
   */
  private async clockOffsetMs(): Promise<number> {
    const uptime = await readText(this, '/proc/uptime');
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
    const asleepMs = Number(uptime.ok ? uptime.value.split(' ')[0] : Number.NaN) * 1000 - monotonicMs;
    return Date.now() - monotonicMs - (asleepMs > 50 ? asleepMs : 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Processes belong to whoever started them, who has awaited their ends by now.
    process.off('exit', this.killAll);
  }

  private readonly killAll = (): void => {
    for (const child of this.alive) child.kill('SIGKILL');
  };

  /** Behind a prefix the child belongs to root: `PREFIX kill` is tried where a plain kill is not permitted. */
  private signal(
    child: ChildProcess,
    prefix: readonly string[],
    name: 'SIGINT' | 'SIGKILL',
    pid: number | undefined,
  ): void {
    if (prefix.length > 0 && pid !== undefined) {
      const [program = 'kill', ...words] = prefix;
      spawn(program, [...words, 'kill', `-${name.slice(3)}`, String(pid)], { stdio: 'ignore' }).on('error', () => {});
      return;
    }
    try {
      child.kill(name);
    } catch {
      // EPERM: the caller's next step (release of the pipes) ends it.
    }
  }
}

function ownProcess(child: ChildProcess, program: string, signal: TargetProcess['signal']): TargetProcess {
  const { stdout, stderr } = child;
  const release = (): void => {
    stdout?.destroy();
    stderr?.destroy();
  };
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (cause) => resolve({ problem: startError(program, cause) }));
    child.once('close', (code, signalName) => resolve(exitOf(code, signalName)));
    // A grandchild may hold the pipes open long after bpftrace itself is gone.
    child.once('exit', () => setTimeout(release, pipeCloseMaxMs).unref());
  });
  return {
    stdout: stdout ?? new PassThrough().end(),
    stderr: stderr ?? new PassThrough().end(),
    exited,
    signal,
    release,
  };
}

function exitOf(code: number | null, signal: string | null): Exit {
  if (signal !== null) return { signal };
  // A prefix reports its child's signal as 128 + number.
  if (code === 128 + 9) return { code, signal: 'SIGKILL' };
  return code === null ? {} : { code };
}

function startError(program: string, cause: Error): TargetError {
  const code = 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT') return { kind: 'not-found', message: `${program} is not installed on this machine` };
  if (code === 'EACCES') return { kind: 'denied', message: `${program} may not be run by this user` };
  return { kind: 'failed', message: `${program} could not be started: ${cause.message}` };
}

function fileError(path: string, cause: unknown): TargetError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'not-found', message: `${path} is not there` };
  if (code === 'EACCES' || code === 'EPERM') return { kind: 'denied', message: `${path} may not be read by this user` };
  return { kind: 'failed', message: `${path}: ${cause instanceof Error ? cause.message : String(cause)}` };
}
