// The workspace's own packages: pnpm, Node 24 and everything in the lockfile, from nothing but Node 20 and npm.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

/** The working copy's folder. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

const stampFile = join(root, 'node_modules', '.faultline-install');

/**
 * Installs the workspace unless what is installed comes from the very lockfile and manifests that lie here.
 * @returns {Promise<string | undefined>} what went wrong and what to do, or undefined
 */
export async function prepareWorkspace() {
  const stamp = digest(manifests());
  if (isStamped(stampFile, stamp) && findNode() !== undefined) return undefined;
  const pnpm = await preparePnpm();
  if (pnpm.problem !== undefined) return pnpm.problem;
  const env = { ...environmentForPackages(), CI: 'true' };
  const install = await run(
    'installing the workspace (up to a minute where nothing is cached)',
    [process.execPath, ...pnpm.command, 'install', '--frozen-lockfile', '--reporter=append-only'],
    { cwd: root, env },
  );
  if (!install.isDone) {
    return `${install.tail}\nThe workspace could not be installed (pnpm, status ${install.status}, in ${root}). If the network is the reason, try again; if the lockfile is out of date, type: ${pnpmByHand()} install`;
  }
  if (findNode() === undefined) return noNode();
  writeFileSync(stampFile, stamp);
  return undefined;
}

/**
 * The Node that runs everything but the bootstrap: the workspace's own, or the one running now if it is new enough.
 * @returns {string | undefined}
 */
export function findNode() {
  const own = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(own)) return own;
  const major = Number(process.versions.node.split('.')[0]);
  return existsSync(join(root, 'node_modules', '.modules.yaml')) && major >= 24 ? process.execPath : undefined;
}

/**
 * A digest of files: their names and their bytes.
 * @param {readonly string[]} paths relative to the working copy
 */
export function digest(paths) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const path of paths) hash.update(`${path}\n`).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

/**
 * Whether a stamp file says what it should.
 * @param {string} file
 * @param {string} stamp
 */
export function isStamped(file, stamp) {
  return existsSync(file) && readFileSync(file, 'utf8') === stamp;
}

/**
 * The environment for npm and pnpm: without the traces of the npm that started us, which would steer a nested one.
 * Settings a person may need (registry, proxy, certificates) stay.
 */
function environmentForPackages() {
  const ofTheOuterNpm =
    /^npm_(package|lifecycle)_|^npm_(command|execpath|node_execpath)$|^npm_config_(local_prefix|prefix|global_prefix)$|^(INIT_CWD|NODE_ENV)$/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !ofTheOuterNpm.test(name)));
}

/** The lockfile and every manifest: what decides what is installed. */
function manifests() {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const inFolders = folders
    .map((folder) => join(folder.name, 'package.json'))
    .filter((path) => existsSync(join(root, path)));
  return ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...inFolders.toSorted()];
}

/** @returns {Promise<{ command: readonly string[], problem?: undefined } | { problem: string }>} */
async function preparePnpm() {
  const version = pnpmVersion();
  const folder = join(root, '.cache', `pnpm-${version}`);
  const script = join(folder, 'node_modules', 'pnpm', 'bin', 'pnpm.mjs');
  if (!existsSync(script)) {
    mkdirSync(folder, { recursive: true });
    const got = await run(
      `getting pnpm ${version}`,
      // Without its install script, which newer npm refuses to run: bin/pnpm.mjs finds the native program by itself.
      [
        'npm',
        'install',
        '--prefix',
        folder,
        '--ignore-scripts',
        '--no-save',
        '--no-package-lock',
        '--no-audit',
        '--no-fund',
        `pnpm@${version}`,
      ],
      { cwd: folder, env: environmentForPackages() },
    );
    if (!got.isDone) {
      return {
        problem: `${got.tail}\npnpm ${version} could not be got with npm (status ${got.status}). Is the npm registry within reach? Try: ${pnpmByHand()} --version`,
      };
    }
  }
  return { command: [script] };
}

/** The version after "pnpm@" in package.json's packageManager. */
function pnpmVersion() {
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  return /"packageManager":\s*"pnpm@([^"+]+)/.exec(manifest)?.[1] ?? 'latest';
}

function pnpmByHand() {
  return `npm exec --yes pnpm@${pnpmVersion()} --`;
}

function noNode() {
  return `Node 24 comes with the workspace for Linux on x64 and arm64 only; this is ${process.platform} on ${process.arch} with Node ${process.versions.node}. Install Node 24 or newer yourself and try again.`;
}
