/** One QEMU process with a guest in it: its command line, its console, its control channel, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  consoleCharsMax,
  err,
  guestMemoryMib,
  kvmBootMaxMs,
  labBootMaxMs,
  labConnectMaxMs,
  ok,
  type Result,
} from '@faultline/shared';
import { type Accelerator, guestCpu } from './accelerator.ts';
import { AgentLink } from './agent-link.ts';
import type { LabError } from './lab-error.ts';
import { saysHung } from './oops.ts';
import { Qmp } from './qmp.ts';

/** Everything that decides what machine this is; two with the same answer can share a snapshot. */
export type MachineSpec = {
  readonly vmlinux: string;
  readonly initramfs: string;
  readonly toolsDisk: string;
  readonly barBytes: number;
  readonly accelerator: Accelerator;
};

/** Where the test device sits: behind a root port, so that it can be reset. */
export const deviceBdf = '0000:01:00.0';
/** The BAR that has the asked-for size. */
export const deviceBar = 2;

/** QEMU's words for a machine, without the sockets of one run of it. */
function qemuWords(spec: MachineSpec): readonly string[] {
  const accelerator = spec.accelerator === 'kvm' ? ['-accel', 'kvm'] : ['-accel', 'tcg,thread=multi,tb-size=256'];
  const commandLine = [
    'console=ttyS0 quiet no_timer_check panic=-1 oops=panic mitigations=off nokaslr intel_iommu=on apparmor=0 audit=0',
    `random.trust_cpu=on fl.vfio=${deviceBdf}`,
  ].join(' ');
  return [
    ...accelerator,
    ...['-machine', 'q35', '-cpu', guestCpu, '-smp', '2', '-m', String(guestMemoryMib)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', spec.vmlinux, '-initrd', spec.initramfs, '-append', commandLine],
    ...['-drive', `file=${spec.toolsDisk.replaceAll(',', ',,')},format=raw,if=none,id=tools,read-only=on`],
    ...['-device', 'intel-iommu,caching-mode=on'],
    ...['-device', 'virtio-blk-pci,drive=tools,addr=3'],
    ...['-device', 'virtio-serial-pci,addr=4'],
    ...['-device', 'pcie-root-port,id=slot1,chassis=1,slot=1,addr=5,pref64-reserve=4G'],
    ...['-device', `pci-testdev,membar=${spec.barBytes},bus=slot1`],
  ];
}

export class Machine implements AsyncDisposable {
  readonly agent: AgentLink;
  readonly qmp: Qmp;
  /** Resolves with why when QEMU has ended, however it ended. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private readonly folder: string;
  private text = '';
  /** The line in which its kernel said that it hangs. */
  private hung: string | undefined;
  private readonly lineListeners = new Set<(line: string) => void>();

  private constructor(child: ChildProcess, folder: string, sockets: { agent: Socket; qmp: Socket }, firstId: number) {
    this.child = child;
    this.folder = folder;
    this.agent = new AgentLink(sockets.agent, firstId);
    this.qmp = new Qmp(sockets.qmp);
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        const reason = this.explainEnd();
        this.agent.lose(reason);
        resolve(reason);
      };
      if (child.exitCode === null && child.signalCode === null) child.once('exit', end);
      else setImmediate(end);
    });
  }

  /** Starts QEMU; with `incoming`, an open file that holds a snapshot. Resolves once its channels are connected. */
  static async start(
    spec: MachineSpec,
    options: {
      readonly incomingFd: number | undefined;
      readonly firstId: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<Result<Machine, LabError>> {
    const folder = await mkdtemp(join(tmpdir(), 'faultline-lab-'));
    const [agent, qmp] = [listen(join(folder, 'agent')), listen(join(folder, 'qmp'))];
    await Promise.all([agent.listening, qmp.listening]);
    const words = [
      ...qemuWords(spec),
      ...['-chardev', `socket,id=agent,path=${join(folder, 'agent')},server=off`],
      ...['-device', 'virtserialport,chardev=agent,name=faultline.agent'],
      ...['-chardev', `socket,id=qmp,path=${join(folder, 'qmp')},server=off`, '-mon', 'chardev=qmp,mode=control'],
      ...(options.incomingFd === undefined ? [] : ['-incoming', 'fd:3']),
    ];
    // A guest must not outlive the process that drives it, however that ends.
    const [program = '', ...args] = [...dyingWithParent(), 'qemu-system-x86_64', ...words];
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', options.incomingFd ?? 'ignore'],
      detached: true,
    });
    const early = { text: '' };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => {
        early.text = (early.text + text).slice(-consoleCharsMax);
      });
    }
    const failed = new Promise<string>((resolve) => {
      child.once('error', (cause) => resolve(cause.message));
      child.once('exit', () => setTimeout(() => resolve(early.text.trim()), 50));
      whenAborted(options.signal, () => resolve('stopped'));
      setTimeout(() => resolve(`QEMU did not connect within ${labConnectMaxMs / 1000} s`), labConnectMaxMs).unref();
    });
    const sockets = await Promise.race([Promise.all([agent.connected, qmp.connected]), failed]);
    agent.server.close();
    qmp.server.close();
    if (typeof sockets === 'string') {
      child.kill('SIGKILL');
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
      return err(notStarted(sockets, options.signal));
    }
    const machine = new Machine(child, folder, { agent: sockets[0], qmp: sockets[1] }, options.firstId);
    machine.hear(early.text);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.removeAllListeners('data');
      stream?.on('data', (text: string) => machine.hear(text));
    }
    return ok(machine);
  }

  /** The end of what the guest's console and QEMU have printed, at most consoleCharsMax characters. */
  get console(): string {
    return this.text;
  }

  /** QEMU's process id, for its memory and CPU. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Whether it was ended because its kernel said that it hangs. */
  get hasHung(): boolean {
    return this.hung !== undefined;
  }

  /** Ends it for what its kernel said: whatever waits for it ends with that as the reason. */
  endHung(line: string): void {
    this.hung ??= line.trim();
    this.child.kill('SIGKILL');
  }

  /** Calls back with each line of the console. */
  onLine(listener: (line: string) => void): () => void {
    this.lineListeners.add(listener);
    return () => this.lineListeners.delete(listener);
  }

  /** Waits for the guest's agent after a cold boot: a panic, a broken init and silence are the lab's failures. */
  async untilUp(accelerator: Accelerator, signal: AbortSignal | undefined): Promise<Result<void, LabError>> {
    const maxMs = accelerator === 'kvm' ? kvmBootMaxMs : labBootMaxMs;
    const late = new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(`the guest's agent did not come within ${maxMs / 1000} s`), maxMs);
      timer.unref();
      whenAborted(signal, () => resolve('stopped'));
    });
    const outcome = await Promise.race([this.agent.hello.then(() => undefined), this.ended, late]);
    return outcome === undefined ? ok(undefined) : err(this.asError(outcome, signal));
  }

  /** A failure of this machine, with what its console said last. */
  asError(message: string, signal: AbortSignal | undefined): LabError {
    if (signal?.aborted === true)
      return { kind: 'stopped', message: 'the guest was stopped', remedy: 'Start it again.' };
    const tail = this.text.trim().split('\n').slice(-12).join('\n  ');
    return {
      kind: 'broken',
      message: `${message}. Its console ended with:\n  ${tail}`,
      remedy: 'This is the lab’s failure, not the kernel’s answer: try again.',
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  private hear(text: string): void {
    const before = this.text.lastIndexOf('\n') + 1;
    const open = this.text.slice(before);
    this.text = (this.text + text).slice(-consoleCharsMax);
    const lines = (open + text).split('\n');
    for (const line of lines.slice(0, -1)) {
      for (const listener of this.lineListeners) listener(line.replace(/\r$/, ''));
      // Whatever waits for a guest whose CPUs hang would wait for minutes, or for ever.
      if (saysHung(line)) this.endHung(line);
    }
  }

  private explainEnd(): string {
    if (this.hung !== undefined) return `the guest's kernel hung: ${this.hung}`;
    const said = /(?:Kernel panic[^\r\n]*|faultline-broken [^\r\n]*)/.exec(this.text)?.[0];
    if (said?.startsWith('Kernel panic') === true) return `the guest's kernel panicked: ${said}`;
    if (said !== undefined) return `the guest could not be set up: ${said.slice('faultline-broken '.length)}`;
    const { exitCode, signalCode } = this.child;
    return signalCode === null ? `QEMU ended with status ${exitCode}` : `QEMU was killed by ${signalCode}`;
  }
}

/** Words that make a process die with its parent, where this machine has them (util-linux). */
function dyingWithParent(): readonly string[] {
  return existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL', '--'] : [];
}

/** Calls back once the signal is given, also where it was given before. */
function whenAborted(signal: AbortSignal | undefined, then: () => void): void {
  if (signal?.aborted === true) then();
  else signal?.addEventListener('abort', then, { once: true });
}

function listen(path: string): { server: Server; listening: Promise<void>; connected: Promise<Socket> } {
  const server = createServer();
  const connected = new Promise<Socket>((resolve) => {
    server.once('connection', resolve);
  });
  const listening = new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  server.on('error', () => undefined);
  return { server, listening, connected };
}

function notStarted(said: string, signal: AbortSignal | undefined): LabError {
  if (signal?.aborted === true) return { kind: 'stopped', message: 'stopped', remedy: 'Start it again.' };
  const isMissing = /ENOENT|No such file or directory/.test(said);
  return {
    kind: 'broken',
    message: isMissing ? 'qemu-system-x86_64 is not installed on this machine' : `QEMU could not start: ${said}`,
    remedy: isMissing ? 'Install it: sudo apt-get install qemu-system-x86' : 'Look at the message; try again.',
  };
}
