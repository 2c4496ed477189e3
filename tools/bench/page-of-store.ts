/** A real server over a store, and a Chromium for its page. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Serves a store without tracing; it ends with the answer. Rejects where the server ends before it says where it is. */
export async function serveStore(store: string, port: number): Promise<AsyncDisposable> {
  const words = ['serve', '--port', String(port), '--store', store, '--no-trace'];
  const server = spawn(`${root}bin/faultline`, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((resolve, reject) => {
    server.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('http://')) resolve();
    });
    server.once('exit', (status) => reject(new Error(`the server ended with status ${status}`)));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await ended;
    },
  };
}

/** The browser that pages are timed in. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
}
