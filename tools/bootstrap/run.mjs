// Running other programs while somebody watches: what is going on, how long it took, and what went wrong.
import { spawn } from 'node:child_process';

const heartbeatMs = 10_000;
const outputTailLines = 40;
const exitStatusOfSignal = { SIGINT: 130, SIGTERM: 143 };

/**
 * Prints one progress line on stderr, so that stdout stays what a command is asked for.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`faultline: ${text}\n`);
}

/**
 * Seconds since an instant of `performance.now()`, ready to print.
 * @param {number} startedAtMs
 */
export function secondsSince(startedAtMs) {
  return `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
}

/**
 * Runs a program quietly: one line before, one after, a sign of life every ten seconds, and the end of its output only
 * when it fails. A SIGINT or SIGTERM meant for us goes to the program first, then ends us.
 * @param {string} doing what is going on, as in "installing the workspace"
 * @param {readonly string[]} command program and arguments; never a shell line
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<{ isDone: boolean, status: number, tail: string }>}
 */
export async function run(doing, command, options = {}) {
  const startedAtMs = performance.now();
  say(`${doing} …`);
  const [program = '', ...args] = command;
  const env = { ...(options.env ?? process.env), NO_COLOR: '1' };
  const child = spawn(program, args, { ...options, env, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {string[]} */
  const lines = [];
  const keep = (/** @type {Buffer} */ chunk) => {
    lines.push(
      ...chunk
        .toString()
        .split(/[\r\n]+/)
        .filter((line) => line.trim() !== ''),
    );
    lines.splice(0, lines.length - outputTailLines);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const heartbeat = setInterval(
    () => say(`  ${secondsSince(startedAtMs)}: ${lines.at(-1) ?? 'no word yet'}`),
    heartbeatMs,
  );
  const stopForwarding = forwardSignals(child);
  const status = await exitStatus(child, lines);
  clearInterval(heartbeat);
  stopForwarding();
  if (status === 0) say(`  done in ${secondsSince(startedAtMs)}`);
  return { isDone: status === 0, status, tail: lines.join('\n') };
}

/**
 * Runs a program that talks to the person itself (a test runner, a server), and returns its exit status.
 * @param {readonly string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export async function runInTheOpen(command, options = {}) {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
  const stopForwarding = forwardSignals(child);
  /** @type {string[]} */
  const lines = [];
  const status = await exitStatus(child, lines);
  stopForwarding();
  for (const line of lines) say(line);
  return status;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string[]} lines where a program that cannot even start leaves its reason
 * @returns {Promise<number>} the status a shell would show
 */
function exitStatus(child, lines) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      lines.push(error.message);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** @param {import('node:child_process').ChildProcess} child */
function forwardSignals(child) {
  const onSignal = (/** @type {'SIGINT' | 'SIGTERM'} */ signal) => {
    child.kill(signal);
    child.once('close', () => process.exit(exitStatusOfSignal[signal]));
  };
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  };
}
