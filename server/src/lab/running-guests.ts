/** Which guests run on this machine by this user's commands: small files beside the lab's folder, one a process. */
import { cacheFolder } from '@faultline/lab';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { guestStopMaxMs, guestStopPollMs } from '@faultline/shared';

/** A command that keeps a guest. */
export type RunningGuest = { readonly pid: number; readonly kernel: string };

const folder = (): string => join(cacheFolder(), 'running');

/** Says that this process keeps a guest, until it is disposed of. */
export async function registerGuest(kernel: string): Promise<AsyncDisposable> {
  const file = join(folder(), `${process.pid}`);
  await mkdir(folder(), { recursive: true });
  await writeFile(file, `${await startOf(process.pid)}\n${kernel}\n`);
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

/** All that are alive; leftovers of processes that died are removed. */
export async function listRunning(): Promise<readonly RunningGuest[]> {
  const running: RunningGuest[] = [];
  for (const name of await readdir(folder()).catch(() => [])) {
    const [start = '', kernel = ''] = (await readFile(join(folder(), name), 'utf8').catch(() => '')).split('\n');
    // Numbers of processes are used again: the start time tells whether it is the same.
    if (start !== '' && (await startOf(Number(name))) === start) running.push({ pid: Number(name), kernel });
    else await rm(join(folder(), name), { force: true });
  }
  return running;
}

/** Ends them in order and waits until they are gone. */
export async function stopRunning(): Promise<readonly RunningGuest[]> {
  const running = await listRunning();
  for (const { pid } of running) process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < guestStopMaxMs && (await listRunning()).length > 0; waitedMs += guestStopPollMs) {
    await wait(guestStopPollMs);
  }
  for (const { pid } of await listRunning()) process.kill(pid, 'SIGKILL');
  return running;
}

/** When a process began, in the kernel's ticks since boot; empty when it is gone. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
