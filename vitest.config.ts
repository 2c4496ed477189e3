import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/*
 * Five projects, told apart by where a test lives:
 *   unit         beside the source; pure code, no process, no network but loopback
 *   integration  server/test; the real bpftrace on the real kernel, so one file at a time
 *   lab          server/test/lab; real kernels in QEMU, with a real VFIO workload
 *   browser      web/test; the built page in a real Chromium
 *   house        tools; the tests of our own checks
 */
const utcAndC = { TZ: 'UTC', LC_ALL: 'C', LANG: 'C' };
/** Servers that tests start record into a store of the tests' own, never into that of who runs them. */
const given = process.env['FAULTLINE_TEST_DATA'];
const data = given ?? mkdtempSync(join(tmpdir(), 'faultline-test-data-'));
if (given === undefined) process.on('exit', () => rmSync(data, { recursive: true, force: true }));
const surroundings = { ...utcAndC, XDG_DATA_HOME: data, FAULTLINE_TEST_DATA: data };
Object.assign(process.env, surroundings);

/** What `node tools/test.mjs` and a plain `vitest run` use; a stage is a project. */
export default defineConfig({
  test: {
    passWithNoTests: false,
    env: surroundings,
    // Bounds end what hangs, and say nothing about speed: a machine that does other things too is many times slower at moments.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            'shared/src/**/*.test.ts',
            'server/src/**/*.test.ts',
            'web/src/**/*.test.{ts,tsx}',
            'lab/src/**/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['server/test/**/*.test.ts'],
          exclude: ['server/test/lab/**'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: ['server/test/lab/**/*.test.ts'],
          fileParallelism: false,
          // Some tests boot kernels that nobody has booted before, or build a module first: minutes on a busy machine.
          testTimeout: 240_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['web/test/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      { extends: true, test: { name: 'house', include: ['tools/**/*.test.ts'] } },
    ],
  },
});
