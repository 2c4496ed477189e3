// What the machine must have and npm cannot bring: Debian packages and a mounted tracefs.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run, say } from './run.mjs';

/**
 * @typedef {{ name: string, gives: string, forWhat: string }} SystemPackage
 *   name: the Debian package; gives: a program on PATH or an absolute path that shows that it is there
 */

const tracefsFolder = '/sys/kernel/tracing';
const sbinFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @type {SystemPackage} */
export const bpftracePackage = { name: 'bpftrace', gives: 'bpftrace', forWhat: 'tracing this machine' };

/**
 * What the lab installs on this machine; its kernels and everything else are unpacked into its own folder.
 * @type {readonly SystemPackage[]}
 */
export const labPackages = [
  { name: 'qemu-system-x86', gives: 'qemu-system-x86_64', forWhat: 'the lab' },
  { name: 'gcc', gives: 'gcc', forWhat: 'building the guests’ programs' },
  { name: 'libc6-dev', gives: '/usr/include/stdio.h', forWhat: 'building the guests’ programs' },
];

/** @type {readonly SystemPackage[]} */
export const testPackages = [
  bpftracePackage,
  ...labPackages,
  { name: 'chromium', gives: 'chromium', forWhat: 'the browser tests' },
  { name: 'openssh-server', gives: '/usr/sbin/sshd', forWhat: 'the tests of machines over ssh' },
];

/**
 * Installs what is missing, where that is allowed (root, or sudo without a password); otherwise prints the one command
 * to type. Never fails: what depends on a package says itself what it lacks.
 * @param {readonly SystemPackage[]} packages
 */
export async function preparePackages(packages) {
  const missing = packages.filter((each) => !isPresent(each.gives));
  if (missing.length === 0) return;
  const names = missing.map((each) => each.name);
  const reasons = [...new Set(missing.map((each) => each.forWhat))].join(', ');
  const byHand = `${isRoot() ? '' : 'sudo '}apt-get install ${names.join(' ')}`;
  const asRoot = prefixForRoot();
  if (asRoot === undefined || !isPresent('apt-get')) {
    say(`${names.join(', ')} missing, for ${reasons}. Type: ${byHand}   (going on without)`);
    return;
  }
  const failure = await aptInstall(asRoot, names);
  if (failure !== undefined)
    say(
      `${failure}\nfaultline: ${names.join(', ')} could not be installed, for ${reasons}. Type: ${byHand}   (going on without)`,
    );
}

/** Mounts tracefs where it is not mounted, as root; otherwise prints the command. Never fails. */
export async function prepareTracefs() {
  if (readFileSync('/proc/self/mounts', 'utf8').includes(` ${tracefsFolder} tracefs `)) return;
  const mount = ['mount', '-t', 'tracefs', 'tracefs', tracefsFolder];
  if (!existsSync(tracefsFolder)) {
    say(`this kernel has no ${tracefsFolder}, so nothing can be traced here (going on without)`);
    return;
  }
  const asRoot = prefixForRoot();
  if (asRoot === undefined) {
    say(`tracefs is not mounted. Type: sudo ${mount.join(' ')}   (going on without)`);
    return;
  }
  const mounted = await run(`mounting tracefs on ${tracefsFolder}`, [...asRoot, ...mount]);
  if (!mounted.isDone)
    say(
      `${mounted.tail}\nfaultline: tracefs could not be mounted; is this a container without the right to mount? (going on without)`,
    );
}

/** Whether this process is root. */
export function isRoot() {
  return process.getuid?.() === 0;
}

/**
 * Whether a program is on PATH (or in an sbin folder), or a path exists.
 * @param {string} programOrPath
 */
function isPresent(programOrPath) {
  if (programOrPath.startsWith('/')) return existsSync(programOrPath);
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...sbinFolders];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, programOrPath)));
}

/**
 * The words to put before a command that needs root: none as root, `sudo -n` where it asks no password.
 * @returns {readonly string[] | undefined} undefined where there is no way
 */
function prefixForRoot() {
  if (isRoot()) return [];
  return isPresent('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
    ? ['sudo', '-n']
    : undefined;
}

/**
 * Installs with the package lists at hand, and once more with fresh lists if those are empty or too old.
 * @param {readonly string[]} asRoot
 * @param {readonly string[]} names
 * @returns {Promise<string | undefined>} the end of apt's output if it failed
 */
async function aptInstall(asRoot, names) {
  const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-y', '-o', 'DPkg::Lock::Timeout=120'];
  const install = [...apt, 'install', '--no-install-recommends', ...names];
  const doing = `installing ${names.join(', ')} with apt`;
  const first = await run(doing, install);
  if (first.isDone) return undefined;
  const update = await run('fetching new package lists for apt', [...apt, 'update']);
  if (!update.isDone) return update.tail;
  const second = await run(doing, install);
  return second.isDone ? undefined : second.tail;
}
