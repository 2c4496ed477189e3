// `pnpm check`: types, lint, format, unused, architecture, tidy. `main.ts NAME…` runs some of them, `--fix` repairs what
// a machine can, `--report FILE` leaves the result as JSON for tools/test.mjs.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Check, checks, codeFolders, runTool } from './checks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { fix: { type: 'boolean', default: false }, report: { type: 'string' } },
});

process.exitCode = values.fix ? await fix() : await check(positionals, values.report);

/** Runs the named checks, or all; returns the exit status. */
async function check(names: readonly string[], reportFile: string | undefined): Promise<number> {
  const unknown = names.filter((name) => !checks.some((each) => each.name === name));
  if (unknown.length > 0) {
    console.error(`There is no check ${unknown.join(', ')}. Known: ${checks.map((each) => each.name).join(', ')}`);
    return 1;
  }
  const chosen = checks.filter((each) => names.length === 0 || names.includes(each.name));
  const outcomes: { name: string; isPassed: boolean }[] = [];
  for (const each of chosen) outcomes.push({ name: each.name, isPassed: await runCheck(each) });
  const failed = outcomes.filter((outcome) => !outcome.isPassed).map((outcome) => outcome.name);
  const report = { passedCount: outcomes.length - failed.length, failed, skipped: [] };
  if (reportFile !== undefined) writeFileSync(reportFile, JSON.stringify(report));
  return failed.length === 0 ? 0 : 1;
}

async function runCheck({ name, run, cure }: Check): Promise<boolean> {
  const startedAtMs = performance.now();
  const { isPassed, seen, output } = await run(root);
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
  console.log(`${isPassed ? 'ok    ' : 'FAILED'} ${name.padEnd(13)} ${seconds.padStart(5)} s  ${seen}`);
  if (!isPassed) console.log(`\n${output.trim()}\n\n${name}, to cure it: ${cure}\n`);
  return isPassed;
}

/** Repairs what a machine can. What is left, the checks will say. */
async function fix(): Promise<number> {
  const folders = codeFolders.filter((folder) => existsSync(join(root, folder)));
  const lint = await runTool(root, ['oxlint', '--fix', '--quiet', ...folders], /on (\d+) files?/);
  const format = await runTool(root, ['biome', 'format', '--write', '.'], /(\d+) files?/);
  console.log(`lint: corrected what can be, in ${lint.seen}\nformat: ${format.output.trim()}`);
  return format.isPassed ? 0 : 1;
}
