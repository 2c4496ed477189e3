/** The one thread in which DuckDB runs: it answers statements over the tables of one store, and can touch nothing else. */
import { DuckDBInstance } from '@duckdb/node-api';
import { parentPort, workerData } from 'node:worker_threads';
import { ensure, queryMaxMs, queryMemoryBytesMax } from '@faultline/shared';
import type { Statement } from './calls-sql.ts';

/** What the thread is asked and what it answers. */
export type QueryJob = { readonly number: number; readonly statements: readonly Statement[] };
export type QueryReply = { readonly number: number } & (
  | { readonly rows: readonly (readonly (readonly unknown[])[])[] }
  | { readonly problem: string }
);

const store: unknown = workerData;
if (typeof store !== 'string') throw new Error('this thread is told the folder of its store');
const port = ensure(parentPort ?? undefined, 'a thread has a parent');

const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: `${queryMemoryBytesMax / 1024 ** 2}MiB`,
  threads: '2',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
});
const connection = await instance.connect();
await connection.run(`SET allowed_directories = ['${store.replaceAll("'", "''")}']`);
await connection.run('SET enable_external_access = false');
await connection.run('SET lock_configuration = true');

let last: Promise<void> = Promise.resolve();
port.on('message', (job: QueryJob) => {
  last = last.then(() => answer(job));
});

async function answer({ number, statements }: QueryJob): Promise<void> {
  const timer = setTimeout(() => connection.interrupt(), queryMaxMs);
  try {
    const rows: unknown[][][] = [];
    for (const { sql, values } of statements) {
      const reader = await connection.runAndReadAll(sql, [...values]);
      rows.push(reader.getRowsJS());
    }
    port.postMessage({ number, rows } satisfies QueryReply);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    port.postMessage({ number, problem: message.slice(0, 300) } satisfies QueryReply);
  } finally {
    clearTimeout(timer);
  }
}
