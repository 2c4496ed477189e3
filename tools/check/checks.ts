import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { checkArchitecture } from './architecture.ts';
import { brokenArchitecture, brokenTree, brokenTreeFindings } from './architecture-fixture.ts';
import { debts, layers, modulesMin } from './architecture-table.ts';
import { checkTidy } from './tidy.ts';
import { findingLine, type Outcome, readTree } from './tree.ts';

/** What a check has to say: how many things it saw, and all that is wrong, ready to print. */
export type CheckResult = { readonly isPassed: boolean; readonly seen: string; readonly output: string };

/** One part of `pnpm check`: its name, how it is run, and the sentence that says how a failure is cured. */
export type Check = {
  readonly name: string;
  readonly run: (root: string) => Promise<CheckResult>;
  readonly cure: string;
};

/** Folders with code of ours; named, because a linter left to itself walks into node_modules. */
export const codeFolders = ['shared', 'server', 'web', 'tools', 'lab', 'vitest.config.ts'] as const;

const outputBytesMax = 16_000_000;

/** All checks, the quickest to understand first. */
export const checks: readonly Check[] = [
  {
    name: 'types',
    run: checkTypes,
    cure: 'Each line above names a file, a line and what does not fit; correct it there. Alone: node tools/check/main.ts types',
  },
  {
    name: 'lint',
    run: (root) => runTool(root, ['oxlint', ...existing(root, codeFolders)], /on (\d+) files?/),
    cure: 'npm run format corrects what a machine can; the help lines above say the rest. Alone: node tools/check/main.ts lint',
  },
  {
    name: 'format',
    run: (root) => runTool(root, ['biome', 'format', '--reporter=summary', '.'], /Checked (\d+) files?/),
    cure: 'npm run format',
  },
  {
    name: 'unused',
    run: (root) => runTool(root, ['knip', '--no-progress'], undefined),
    cure: 'Delete what nobody uses, or stop exporting it; name an unlisted package in the package.json of the folder that imports it, with "catalog:".',
  },
  {
    name: 'architecture',
    run: checkArchitectureAndItself,
    cure: 'Each sentence above says where the code belongs; tools/check/architecture-table.ts is the picture it was held against.',
  },
  {
    name: 'tidy',
    run: (root) => Promise.resolve(report(checkTidy(readTree(root)), 'files')),
    cure: 'Each sentence above says what to write instead. Alone: node tools/check/main.ts tidy',
  },
];

/** Runs a program of node_modules/.bin; `counted` finds in its output how many files it saw, and zero is a failure. */
export async function runTool(
  root: string,
  command: readonly string[],
  counted: RegExp | undefined,
): Promise<CheckResult> {
  const [program = '', ...args] = command;
  const { status, output } = await outputOf(join(root, 'node_modules', '.bin', program), args, root);
  if (counted === undefined) return { isPassed: status === 0, seen: 'every workspace', output };
  const seenCount = Number(counted.exec(output)?.[1] ?? 0);
  const blind =
    seenCount === 0 ? `\n${program} saw no file at all, which must not pass. Correct its folders or its patterns.` : '';
  return { isPassed: status === 0 && seenCount > 0, seen: `${seenCount} files`, output: `${output}${blind}` };
}

/** TypeScript, project by project; one without a source file fails by itself (TS18003). */
async function checkTypes(root: string): Promise<CheckResult> {
  const projects = existing(root, [
    'tsconfig.json',
    'shared/tsconfig.json',
    'server/tsconfig.json',
    'web/tsconfig.json',
    'lab/tsconfig.json',
  ]);
  const results: CheckResult[] = [];
  for (const project of projects)
    results.push(await runTool(root, ['tsc', '--pretty', 'false', '-p', project], undefined));
  return {
    isPassed: results.length > 0 && results.every((result) => result.isPassed),
    seen: `${projects.length} projects`,
    output: results.map((result) => result.output).join(''),
  };
}

/** The table against our house, after the same table against a house in which every rule is broken. */
async function checkArchitectureAndItself(root: string): Promise<CheckResult> {
  const broken = checkArchitecture(brokenTree, brokenArchitecture).findings;
  const missed = brokenTreeFindings.filter(
    ([path, words]) => !broken.some((each) => each.path === path && words.test(each.sentence)),
  );
  const findings = missed.map(([path, words]) => ({
    path: 'tools/check/architecture-fixture.ts',
    sentence: `the check no longer finds ${String(words)} in ${path}. It is blind there: repair it first.`,
  }));
  const outcome = checkArchitecture(readTree(root), { layers, debts, modulesMin });
  return report({ seenCount: outcome.seenCount, findings: [...findings, ...outcome.findings] }, 'modules');
}

function report({ seenCount, findings }: Outcome, what: string): CheckResult {
  return {
    isPassed: seenCount > 0 && findings.length === 0,
    seen: `${seenCount} ${what}`,
    output: findings.map((finding) => `${findingLine(finding)}\n`).join(''),
  };
}

function existing(root: string, paths: readonly string[]): readonly string[] {
  return paths.filter((path) => existsSync(join(root, path)));
}

function outputOf(program: string, args: readonly string[], cwd: string): Promise<{ status: number; output: string }> {
  const env = { ...process.env, NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env, maxBuffer: outputBytesMax }, (error, stdout, stderr) => {
      const isRun = error === null || typeof error.code === 'number';
      // oxlint colours wherever CI is set, NO_COLOR or not.
      const output = stripVTControlCharacters(`${stdout}${stderr}${isRun ? '' : error.message}`);
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), output });
    });
  });
}
