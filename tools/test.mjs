// `npm test`: prepares the machine like `npm start`, with what the tests need besides, then runs the stages and ends
// with one line that counts. `npm test -- unit` runs one stage. Runs on plain Node 20 with nothing installed.
import { existsSync } from 'node:fs';
import { preparePage } from './bootstrap/page.mjs';
import { say } from './bootstrap/run.mjs';
import { isRoot, preparePackages, prepareTracefs, testPackages } from './bootstrap/system.mjs';
import { prepareWorkspace } from './bootstrap/workspace.mjs';
import { closingLine, runStage, stageNames } from './test/stages.mjs';

const names = process.argv.slice(2);
const unknown = names.filter((name) => !stageNames.includes(name));

if (unknown.length > 0) {
  say(`there is no stage ${unknown.join(', ')}. Type: npm test -- ${stageNames.join(' | ')}, or npm test for all.`);
  process.exitCode = 1;
} else {
  process.exitCode = await testAll(names.length === 0 ? stageNames : names);
}

/**
 * @param {readonly string[]} stages
 * @returns {Promise<number>} the exit status
 */
async function testAll(stages) {
  const problem = await prepare(stages);
  if (problem !== undefined) {
    say(problem);
    process.stdout.write('0 passed, 1 failed\n');
    return 1;
  }
  const mustTrace = isRoot() && existsSync('/sys/kernel/tracing/events/mmap_lock');
  const results = [];
  for (const stage of stages) results.push(await runStage(stage, mustTrace));
  const { text, isPassed } = closingLine(results);
  process.stdout.write(text);
  return isPassed ? 0 : 1;
}

/** @param {readonly string[]} stages */
async function prepare(stages) {
  const problem = await prepareWorkspace();
  if (problem !== undefined) return problem;
  const needsMachine = ['integration', 'lab', 'browser'].some((stage) => stages.includes(stage));
  if (!needsMachine) return undefined;
  if (process.platform === 'linux') {
    await preparePackages(testPackages);
    await prepareTracefs();
  }
  return preparePage();
}
