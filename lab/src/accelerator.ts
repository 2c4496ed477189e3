/** What QEMU runs a guest with: KVM where a trial shows that it works, otherwise emulation. */
import { spawn } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { kvmTrialMaxMs } from '@faultline/shared';

export type Accelerator = 'kvm' | 'tcg';

/** The accelerator of this machine; with `tcg`, why not KVM, as the end of a sentence. */
export type AcceleratorChoice =
  | { readonly accelerator: 'kvm' }
  | { readonly accelerator: 'tcg'; readonly whyEmulated: string };

/** A real guest is given the same CPU: some hosts offer /dev/kvm and then refuse what this CPU needs. */
export const guestCpu = 'max';

let choice: Promise<AcceleratorChoice> | undefined;

/** KVM where this user may use it and QEMU can start a CPU with it. Tried once a process; takes 0.2 s. */
export function findAccelerator(): Promise<AcceleratorChoice> {
  choice ??= tryKvm('/dev/kvm');
  return choice;
}

/** From now on this process emulates: KVM started a guest here and did not get it up. */
export function giveUpKvm(whyEmulated: string): void {
  choice = Promise.resolve({ accelerator: 'tcg', whyEmulated });
}

/** A machine without disk or memory to speak of, stopped before its first instruction, and ended. */
export async function tryKvm(device: string, qemu = 'qemu-system-x86_64'): Promise<AcceleratorChoice> {
  const why = await access(device, constants.R_OK | constants.W_OK).then(
    () => undefined,
    () => (existsSync(device) ? `${device} is not for this user` : `there is no ${device}`),
  );
  if (why !== undefined) return { accelerator: 'tcg', whyEmulated: why };
  const said = await startAndQuit(qemu);
  if (said === undefined) return { accelerator: 'kvm' };
  return { accelerator: 'tcg', whyEmulated: `KVM does not work with this QEMU here: ${said}` };
}

/** Undefined when QEMU ended in order, otherwise the first line of why not. */
function startAndQuit(qemu: string): Promise<string | undefined> {
  const words = ['-accel', 'kvm', '-machine', 'q35', '-cpu', guestCpu, '-m', '16', '-nodefaults', '-no-user-config'];
  return new Promise((resolve) => {
    const child = spawn(qemu, [...words, '-display', 'none', '-S', '-monitor', 'stdio'], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(0, 1_000);
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end('quit\n');
    const timer = setTimeout(() => child.kill('SIGKILL'), kvmTrialMaxMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      resolve(cause.message);
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const firstLine = said.split('\n').find((line) => !/warning:/.test(line) && line.trim() !== '');
      const reason = firstLine?.replace(/^\S+: (?:error: )?/, '');
      resolve(code === 0 ? undefined : (reason ?? `it ended with ${code ?? signal}`));
    });
  });
}
