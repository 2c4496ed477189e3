/** A real sshd on loopback with keys, config and known hosts of its own, so that a machine over ssh can be had anywhere. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.ts';

const run = promisify(execFile);

/** Where it is, and the two ways to end what goes over it. */
export type LoopbackSshd = AsyncDisposable & {
  /** The name in the private config. */
  readonly destination: string;
  readonly configFile: string;
  /** Kills every connection on the far side: the listener stays. */
  cut(): Promise<void>;
  /** Stops them in their tracks: the connection stands, and nobody answers. */
  pause(): Promise<void>;
};

/** Starts it on a free port under a name of its own; only this user may log in, with a key made for this. */
export async function startLoopbackSshd(destination = 'loopback'): Promise<LoopbackSshd> {
  const folder = await mkdtemp(join(tmpdir(), 'faultline-sshd-'));
  const file = (name: string): string => join(folder, name);
  await Promise.all(
    ['host', 'user'].map((name) => run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)])),
  );
  const port = await freePort();
  const hostKey = (await readFile(file('host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  await writeFile(file('known_hosts'), `[127.0.0.1]:${port} ${hostKey}\n`);
  await writeFile(file('authorized_keys'), await readFile(file('user.pub')));
  await writeFile(
    file('sshd_config'),
    [
      ...[`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${file('host')}`, `PidFile ${file('pid')}`],
      ...[`AuthorizedKeysFile ${file('authorized_keys')}`, 'PasswordAuthentication no', 'PermitRootLogin yes'],
      ...['UsePAM no', 'StrictModes no', 'LogLevel ERROR'],
      // No start files: what a user's own do at every login is not what is tested.
      `SetEnv HOME=${folder}`,
    ].join('\n'),
  );
  await writeFile(
    file('config'),
    [
      ...[`Host ${destination}`, 'HostName 127.0.0.1', `Port ${port}`, `User ${userInfo().username}`],
      ...[`IdentityFile ${file('user')}`, 'IdentitiesOnly yes', `UserKnownHostsFile ${file('known_hosts')}`],
      ...['GlobalKnownHostsFile none', 'StrictHostKeyChecking yes'],
    ].join('\n'),
  );
  // sshd as root keeps its unprivileged half there; systemd makes it at boot, a container has none.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until(async () => {
    if (server.exitCode !== null) throw new Error(`sshd ended: ${said}`);
    return (await readFile(file('pid'), 'utf8').catch(() => '')) !== '';
  });
  return {
    destination,
    configFile: file('config'),
    cut: () => signalSessions(server, 'SIGKILL'),
    pause: () => signalSessions(server, 'SIGSTOP'),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGTERM');
      await closed;
      await rm(folder, { recursive: true });
    },
  };
}

async function signalSessions(server: ChildProcess, signal: 'SIGKILL' | 'SIGSTOP'): Promise<void> {
  const pid = server.pid ?? 0;
  const sessions = (await descendants(pid)).filter(({ name }) => name.startsWith('sshd'));
  for (const session of sessions) process.kill(session.pid, signal);
}

type Row = { readonly pid: number; readonly parent: number; readonly name: string };

/** All processes below one, at the moment. */
export async function descendants(pid: number): Promise<readonly Row[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = (await Promise.all(pids.map(readRow))).filter((row) => row !== undefined);
  const found: Row[] = [];
  let parents = [pid];
  while (parents.length > 0) {
    const children = rows.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map((child) => child.pid);
  }
  return found;
}

async function readRow(pid: string): Promise<Row | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const match = /^\d+ \((.*)\) \S (\d+)/s.exec(stat);
  return match === null ? undefined : { pid: Number(pid), name: match[1] ?? '', parent: Number(match[2]) };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
