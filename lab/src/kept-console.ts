/** Consoles of guests that ended badly and are seen by nobody otherwise. */
import { consolesKeptMax, ok } from '@faultline/shared';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cached, cachedPath } from './cache.ts';

/** Writes what a guest printed into the lab's folder (consoles/TIME-KERNEL/console.txt); the newest consolesKeptMax stay. */
export async function keepConsole(kernel: string, text: string): Promise<void> {
  await cached('consoles', `${new Date().toISOString().replaceAll(':', '')}-${kernel}`, async (draft) => {
    await writeFile(join(draft, 'console.txt'), text);
    return ok(undefined);
  });
  // Their names begin with the time: what sorts last is newest.
  const names = (await readdir(cachedPath('consoles', '')).catch(() => [])).toSorted((left, right) =>
    left < right ? 1 : -1,
  );
  for (const name of names.slice(consolesKeptMax))
    await rm(cachedPath('consoles', name), { recursive: true, force: true });
}
