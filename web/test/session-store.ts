/** A real server over a store of really recorded sessions: what the tests of the sessions' pages begin with. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RecordSummary } from '@faultline/shared';
import type { Browser, Page } from 'playwright-core';

const run = promisify(execFile);
/** The working copy. */
const root = fileURLToPath(new URL('../..', import.meta.url));

/** A server over a store. */
export type StoreServer = AsyncDisposable & { readonly url: string; readonly store: string };

/** The server, its store, and the session that was recorded here while a known load ran: it has a name, and a mark at its second second. */
export type SessionServer = StoreServer & {
  /** The session of this host, and what `record` printed of it. */
  readonly recorded: RecordSummary & { readonly recordingId: string };
  /** Runs `faultline` on the store; its standard output. */
  readonly faultline: (...words: readonly string[]) => Promise<string>;
};

/** Records for `seconds` under load, then serves the store without tracing, on a port that is free. */
export async function openSessionServer(seconds: number): Promise<SessionServer> {
  const store = await mkdtemp(join(tmpdir(), 'faultline-sessions-'));
  const program = join(store, '..', `mmap-load-${process.pid}`);
  await run('gcc', ['-O2', '-o', program, `${root}tools/load/mmap-load.c`, '-lpthread']);
  const faultline = async (...words: readonly string[]): Promise<string> => {
    const options = { maxBuffer: 256 * 1024 ** 2 };
    const answer = await run(`${root}bin/faultline`, [...words, '--store', store], options).catch((error: unknown) => {
      // Status 3: something was lost while it recorded, as on a busy machine. Such a session is as good to look at.
      if (error instanceof Error && 'code' in error && error.code === 3 && 'stdout' in error) return error;
      throw error;
    });
    return String(answer.stdout);
  };
  const words = ['record', '--label', 'base', '--probes', 'mmap-lock:latency,mmap-lock:detail,page-fault:entries'];
  const recording = faultline(...words, '--param', 'mmap-lock:detail.oneIn=20', '--for', `${seconds}s`, '--json');
  const load = run(program, ['mmap-munmap', '--seconds', String(seconds + 2), '--rate', '500', '--name', 'mapper']);
  const recorded = JSON.parse(await recording) as SessionServer['recorded'];
  await load;
  await rm(program);
  const { recordingId } = recorded;
  await faultline('sessions', 'rename', recordingId, 'unbind the device');
  await faultline('sessions', 'mark', recordingId, 'here I unbound it', '--at', '2s');
  return { ...(await serveStore(store)), recorded, faultline };
}

/** Serves a folder's sessions without tracing, on a port that is free or the one of `words`; the folder goes with the server. */
export async function serveStore(store: string, words: readonly string[] = []): Promise<StoreServer> {
  const server = spawn(`${root}bin/faultline`, ['serve', '--store', store, '--no-trace', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    url: await saysWhere(server),
    store,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await ended;
      await rm(store, { recursive: true });
    },
  };
}

/** Opens a page of this server; what goes wrong in it is in `errors`. */
export async function openSessionPage(
  browser: Browser,
  server: StoreServer,
  query: string,
): Promise<AsyncDisposable & { readonly page: Page; readonly errors: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('dialog', (dialog) => {
    errors.push(`a dialog opened: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(`${server.url}/?page=sessions${query}`);
  return { page, errors, [Symbol.asyncDispose]: () => context.close() };
}

/** The address of a server, without a slash at its end, when it has said it on its standard output, which is read to its end. */
export function saysWhere(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    server.stdout?.on('data', (chunk: Buffer) => {
      const url = /http:\/\/[^/\s]+/.exec(chunk.toString())?.[0];
      if (url !== undefined) resolve(url);
    });
    server.once('exit', (status) => reject(new Error(`the server ended with status ${status}`)));
  });
}
