import { consolesKeptMax } from '@faultline/shared';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { keepConsole } from './kept-console.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'faultline-consoles-'));
  vi.stubEnv('FAULTLINE_CACHE', folder);
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it('keeps the newest', async () => {
  for (let at = 0; at < consolesKeptMax + 3; at += 1) {
    vi.setSystemTime(1_700_000_000_000 + at * 1000);
    await keepConsole('6.1', `console ${at}`);
  }
  const kept = readdirSync(join(folder, 'consoles')).toSorted();
  expect(kept).toHaveLength(consolesKeptMax);
  const texts = [kept[0], kept.at(-1)].map((name) =>
    readFileSync(join(folder, 'consoles', name ?? '', 'console.txt'), 'utf8'),
  );
  expect(texts).toEqual(['console 3', `console ${consolesKeptMax + 2}`]);
});
