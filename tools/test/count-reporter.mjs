// A vitest reporter that leaves behind what `npm test` sums up: how many passed, which failed, which were skipped and why.
import { writeFileSync } from 'node:fs';

/**
 * @param {import('vitest/node').TestCase} test
 * @returns {string} where it is and what it claims
 */
function nameOf(test) {
  return `${test.module.relativeModuleId} > ${test.fullName}`;
}

// vitest makes a reporter itself, from its module's default export.
// oxlint-disable-next-line import/no-default-export
export default class CountReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly { message: string }[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const report = {
      passedCount: tests.filter((test) => test.result().state === 'passed').length,
      failed: [
        ...tests.filter((test) => !['passed', 'skipped'].includes(test.result().state)).map(nameOf),
        ...modules.flatMap(brokenPartsOf),
        ...unhandledErrors.map((error) => `an error nobody handled: ${error.message}`),
      ],
      skipped: tests.flatMap(skipOf),
    };
    writeFileSync(process.env['FAULTLINE_TEST_REPORT'] ?? 'report.json', JSON.stringify(report));
  }
}

/**
 * Files and chapters that failed outside any test: an import, a beforeAll.
 * @param {import('vitest/node').TestModule} module
 */
function brokenPartsOf(module) {
  const suites = [...module.children.allSuites()];
  return [
    ...module.errors().map((error) => `${module.relativeModuleId}: ${error.message}`),
    ...suites.flatMap((suite) =>
      suite.errors().map((error) => `${module.relativeModuleId} > ${suite.fullName}: ${error.message}`),
    ),
  ];
}

/** @param {import('vitest/node').TestCase} test */
function skipOf(test) {
  const result = test.result();
  if (result.state !== 'skipped') return [];
  return [{ name: nameOf(test), reason: result.note ?? 'no reason given; say it with context.skip(reason)' }];
}
