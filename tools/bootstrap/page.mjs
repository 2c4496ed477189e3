// The built page: made again only when something it is made of has changed.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from './run.mjs';
import { digest, findNode, isStamped, root } from './workspace.mjs';

const stampFile = join(root, 'node_modules', '.faultline-page');
const builtPage = join(root, 'web', 'dist', 'index.html');
const notOfThePage = new Set(['node_modules', 'dist', 'test']);

/**
 * Builds the page with vite unless web/dist comes from the very sources that lie here.
 * @returns {Promise<string | undefined>} what went wrong and what to do, or undefined
 */
export async function preparePage() {
  const stamp = digest(['pnpm-lock.yaml', ...sourcesIn(join(root, 'web')), ...sourcesIn(join(root, 'shared'))]);
  if (isStamped(stampFile, stamp) && existsSync(builtPage)) return undefined;
  const node = findNode() ?? process.execPath;
  const vite = join(root, 'web', 'node_modules', 'vite', 'bin', 'vite.js');
  const build = await run('building the page', [node, vite, 'build', '--logLevel', 'warn'], { cwd: join(root, 'web') });
  if (!build.isDone) return `${build.tail}\nThe page could not be built (vite, in web/); the lines above say where.`;
  writeFileSync(stampFile, stamp);
  return undefined;
}

/**
 * @param {string} folder
 * @returns {readonly string[]} paths relative to the working copy, sorted, without tests
 */
function sourcesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !notOfThePage.has(entry.name));
  const paths = entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return /\.test\.tsx?$/.test(entry.name) ? [] : [relative(root, path)];
  });
  return paths.toSorted();
}
