import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { stageResult } from './stages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

it('reports every fate a test can have, and the exit status agrees', { timeout: 30_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-reporter-'));
  const reportFile = join(folder, 'report.json');
  const run = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'tools/test/fixtures/vitest.config.ts',
      '--reporter',
      './tools/test/count-reporter.mjs',
    ],
    { cwd: root, env: { ...process.env, FAULTLINE_TEST_REPORT: reportFile }, encoding: 'utf8' },
  );
  const result = stageResult('unit', run.status ?? 1, readFileSync(reportFile, 'utf8'));
  rmSync(folder, { recursive: true });

  expect(run.status).toBe(1);
  expect(result.passedCount).toBe(1);
  expect(result.failed).toHaveLength(3);
  expect(result.failed.join('\n')).toMatch(
    /mixed.fixture.ts > fails[\s\S]*broken.fixture.ts: this file breaks on import|broken.fixture.ts: this file breaks on import[\s\S]*fails/,
  );
  expect(result.failed.join('\n')).toContain('nothing to stand on');
  expect(result.skipped.map((skip) => skip.reason)).toEqual(
    expect.arrayContaining(['no kernel here', expect.stringContaining('no reason given')]),
  );
});
