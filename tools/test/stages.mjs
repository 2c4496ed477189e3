// The stages of `npm test` and the sum of their results.
import { mkdtempSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInTheOpen, secondsSince } from '../bootstrap/run.mjs';
import { findNode, root } from '../bootstrap/workspace.mjs';

/**
 * @typedef {{ name: string, reason: string }} Skip
 * @typedef {{ stage: string, passedCount: number, failed: readonly string[], skipped: readonly Skip[] }} StageResult
 */

/** What vitest's projects run in which stage; `check` is our own runner. @type {Readonly<Record<string, readonly string[]>>} */
const projectsByStage = {
  check: [],
  unit: ['house', 'unit'],
  integration: ['integration'],
  lab: ['lab'],
  browser: ['browser'],
};

/** The stages in their order. */
export const stageNames = Object.keys(projectsByStage);

/**
 * Runs one stage in the open and reads what it reported. A stage that reported nothing, or no test at all, has failed.
 * @param {string} stage
 * @param {boolean} mustTrace whether this machine can trace, so that no test of the real kernel may be skipped
 * @returns {Promise<StageResult>}
 */
export async function runStage(stage, mustTrace) {
  const startedAtMs = performance.now();
  process.stdout.write(`\n== ${stage}\n`);
  const folder = mkdtempSync(join(tmpdir(), 'faultline-test-'));
  const reportFile = join(folder, 'report.json');
  const node = findNode() ?? process.execPath;
  const status = await runInTheOpen([node, ...commandOf(stage, reportFile)], {
    cwd: root,
    env: environmentForTests(reportFile),
  });
  const report = existsSync(reportFile) ? readFileSync(reportFile, 'utf8') : undefined;
  rmSync(folder, { recursive: true });
  const result = withSkipsJudged(stageResult(stage, status, report), mustTrace);
  process.stdout.write(`== ${stage}: ${sum(result)} in ${secondsSince(startedAtMs)}\n`);
  return result;
}

/**
 * What `npm test` ends with: the failures and skips by name, then one line that counts.
 * @param {readonly StageResult[]} results
 * @returns {{ text: string, isPassed: boolean }}
 */
export function closingLine(results) {
  const failures = results.flatMap((result) => result.failed.map((name) => `failed   ${result.stage}: ${name}\n`));
  const skips = results.flatMap((result) =>
    result.skipped.map(({ name, reason }) => `skipped  ${result.stage}: ${name} (${reason})\n`),
  );
  const total = {
    stage: 'all',
    passedCount: results.reduce((count, result) => count + result.passedCount, 0),
    failed: results.flatMap((result) => result.failed),
    skipped: results.flatMap((result) => result.skipped),
  };
  const isPassed = total.failed.length === 0 && total.passedCount > 0;
  return { text: `\n${[...failures, ...skips].join('')}${sum(total)}\n`, isPassed };
}

/**
 * Reads a stage's report. The report and the exit status must agree: a runner that failed without naming a failure, and
 * one that ran no test, count as one failure.
 * @param {string} stage
 * @param {number} status
 * @param {string | undefined} report JSON of { passedCount, failed, skipped }
 * @returns {StageResult}
 */
export function stageResult(stage, status, report) {
  if (report === undefined)
    return { stage, passedCount: 0, failed: [`the stage ended with status ${status} and left no report`], skipped: [] };
  /** @type {unknown} */
  const parsed = JSON.parse(report);
  if (!isReport(parsed))
    return { stage, passedCount: 0, failed: ['the stage left a report of another form'], skipped: [] };
  const { passedCount, failed, skipped } = parsed;
  if (passedCount + failed.length + skipped.length === 0)
    return { ...parsed, stage, failed: ['the stage ran no test at all'] };
  const isSilent = status !== 0 && failed.length === 0;
  return { ...parsed, stage, failed: isSilent ? [`the stage ended with status ${status}, naming no failure`] : failed };
}

/**
 * Where this machine can trace, a skipped test of the real kernel is a failed one.
 * @param {StageResult} result
 * @param {boolean} mustTrace
 * @returns {StageResult}
 */
export function withSkipsJudged(result, mustTrace) {
  if (!['integration', 'lab'].includes(result.stage) || !mustTrace) return result;
  const failed = result.skipped.map(
    ({ name, reason }) => `${name} was skipped (${reason}), and this machine can trace: it must run here`,
  );
  return { ...result, failed: [...result.failed, ...failed], skipped: [] };
}

/**
 * @param {unknown} value
 * @returns {value is Omit<StageResult, 'stage'>}
 */
function isReport(value) {
  if (typeof value !== 'object' || value === null || !('passedCount' in value)) return false;
  return 'failed' in value && Array.isArray(value.failed) && 'skipped' in value && Array.isArray(value.skipped);
}

/** @param {StageResult} result */
function sum({ passedCount, failed, skipped }) {
  return `${passedCount} passed, ${failed.length} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;
}

/**
 * @param {string} stage
 * @param {string} reportFile
 * @returns {readonly string[]} arguments for node
 */
function commandOf(stage, reportFile) {
  const projects = projectsByStage[stage] ?? [];
  if (projects.length === 0) return ['tools/check/main.ts', '--report', reportFile];
  const chosen = projects.flatMap((project) => ['--project', project]);
  return [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...chosen,
    '--reporter=default',
    '--reporter=./tools/test/count-reporter.mjs',
  ];
}

/** @param {string} reportFile */
function environmentForTests(reportFile) {
  const plain = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
  return { ...process.env, ...plain, TZ: 'UTC', LC_ALL: 'C', LANG: 'C', CI: 'true', FAULTLINE_TEST_REPORT: reportFile };
}
