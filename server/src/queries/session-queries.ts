/** Questions about the calls of recorded sessions, answered by DuckDB in a thread of its own over calls.parquet. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type CallsAnswer,
  callsColumns,
  type CallsCounts,
  type CallsCountsQuery,
  type CallsQuery,
  type CountersAnswer,
  type CountersQuery,
  derivedFiles,
  err,
  ok,
  queriesWaitingMax,
  type Result,
  sessionFiles,
} from '@faultline/shared';
import { isLive, type ReadableEntry } from '../sessions/library.ts';
import type { Refusal } from '../sessions/refusal.ts';
import { isDerived } from '../sessions/session-totals.ts';
import { callsStatements, countsStatements, type QuestionError, type Statement } from './calls-sql.ts';
import { binsOf, countersQuestion } from './counters-sql.ts';
import { Derivation } from './derivation.ts';
import type { QueryJob, QueryReply } from './query-thread.ts';

type Rows = readonly (readonly (readonly unknown[])[])[];
type Value = string | number | null;

export class SessionQueries implements AsyncDisposable {
  private readonly store: string;
  private readonly derivation = new Derivation();
  private readonly pending = new Map<number, (answer: Result<Rows, string>) => void>();
  /** By folder: sizes and times of the files that were found whole. */
  private readonly whole = new Map<string, string>();
  private jobCount = 0;
  private worker: Worker | undefined;

  /** `store`: the only folder that it reads from. */
  constructor(store: string) {
    this.store = store;
  }

  /** One page of the calls that were asked for. Errors: it is being recorded; a wrong column; no room for its tables. */
  async calls(entry: ReadableEntry, query: CallsQuery): Promise<Result<CallsAnswer, Refusal>> {
    const statements = callsStatements(entry.manifest, join(entry.folder, derivedFiles.calls), query);
    if (!statements.ok) return err(badQuestion(statements.error));
    const { total, rows } = statements.value;
    const answer = await this.ask(entry, [total, rows]);
    if (!answer.ok) return answer;
    const [[[count] = []] = [], found = []] = answer.value;
    return ok({
      total: Number(count),
      columns: [...callsColumns(entry.manifest)],
      rows: found.map((row) => row.map(valueOf)),
    });
  }

  /** How often each value of a column occurs, the most frequent first. Errors: as of calls. */
  async counts(entry: ReadableEntry, query: CallsCountsQuery): Promise<Result<CallsCounts, Refusal>> {
    const statements = countsStatements(entry.manifest, join(entry.folder, derivedFiles.calls), query);
    if (!statements.ok) return err(badQuestion(statements.error));
    const { total, groups } = statements.value;
    const answer = await this.ask(entry, [total, groups]);
    if (!answer.ok) return answer;
    const [[[all, groupCount] = []] = [], found = []] = answer.value;
    return ok({
      total: Number(all),
      groupCount: Number(groupCount),
      groups: found.map(([value, count]) => ({ value: valueOf(value), count: Number(count) })),
    });
  }

  /** A metric over time. Errors: as of calls; more bins than an answer holds. */
  async counters(entry: ReadableEntry, query: CountersQuery): Promise<Result<CountersAnswer, Refusal>> {
    const question = countersQuestion(entry.manifest, join(entry.folder, derivedFiles.counters), query);
    if (!question.ok) return err(badQuestion(question.error));
    const extent = await this.ask(entry, [question.value.extent]);
    if (!extent.ok) return extent;
    const [[[total, first, last, groupCount] = []] = []] = extent.value;
    const none = { firstMs: entry.manifest.createdAtMs, lastMs: entry.manifest.createdAtMs };
    const bins = binsOf(query, first === null ? none : { firstMs: Number(first), lastMs: Number(last) });
    if (!bins.ok) return err(badQuestion(bins.error));
    const answer = await this.ask(entry, [question.value.bins(bins.value)]);
    if (!answer.ok) return answer;
    const [found = []] = answer.value;
    const groups = new Map<Value, number[]>();
    for (const [value, bin, sum] of found) {
      const deltas = groups.get(valueOf(value)) ?? Array.from({ length: bins.value.binCount }, () => 0);
      deltas[Number(bin)] = Number(sum);
      groups.set(valueOf(value), deltas);
    }
    return ok({
      total: Number(total ?? 0),
      ...bins.value,
      groupCount: Number(groupCount),
      groups: [...groups].map(([value, deltas]) => ({
        value,
        total: deltas.reduce((sum, delta) => sum + delta, 0),
        deltas,
      })),
    });
  }

  /** Has the tables made where they lack or are torn. Error: it is being recorded; there is no room. */
  async prepare(entry: ReadableEntry): Promise<Result<void, Refusal>> {
    const { id, folder, manifest } = entry;
    if (isLive(entry) || manifest.state === 'live') {
      const message = `session ${id} is being recorded`;
      return err({ kind: 'session-live', message, remedy: 'Its calls can be asked for when it has been closed.' });
    }
    if (!this.isPrepared(entry)) {
      const problem = await this.derivation.derive(folder);
      if (problem !== undefined) {
        const message = `the tables of session ${id} could not be made: ${problem}`;
        return err({
          kind: 'store-problem',
          message,
          remedy: 'Look at the room on the disk; the session itself is whole.',
        });
      }
      this.whole.set(folder, stampOf(folder));
    }
    return ok(undefined);
  }

  /** Whether all that follows from the session's journal is there and whole. */
  isPrepared(entry: ReadableEntry): boolean {
    const { folder, manifest } = entry;
    if (manifest.state === 'live') return false;
    const stamp = stampOf(folder);
    if (this.whole.get(folder) === stamp) return true;
    if (!isDerived(entry)) return false;
    this.whole.set(folder, stamp);
    return true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker?.terminate();
    await this.derivation[Symbol.asyncDispose]();
  }

  private async ask(entry: ReadableEntry, statements: readonly Statement[]): Promise<Result<Rows, Refusal>> {
    const prepared = await this.prepare(entry);
    if (!prepared.ok) return prepared;
    if (this.pending.size >= queriesWaitingMax) {
      const message = `${queriesWaitingMax} questions wait for an answer already`;
      return err({ kind: 'store-problem', message, remedy: 'Ask again later.' });
    }
    const answer = await this.run(statements);
    if (answer.ok) return answer;
    const message = `session ${entry.id} could not be asked: ${answer.error}`;
    return err({ kind: 'store-problem', message, remedy: 'Ask for less: a shorter time, fewer rows.' });
  }

  private run(statements: readonly Statement[]): Promise<Result<Rows, string>> {
    const worker = (this.worker ??= this.start());
    this.jobCount += 1;
    const job: QueryJob = { number: this.jobCount, statements };
    return new Promise((resolve) => {
      this.pending.set(job.number, resolve);
      worker.postMessage(job);
    });
  }

  private start(): Worker {
    const worker = new Worker(new URL('./query-thread.ts', import.meta.url), { workerData: this.store });
    worker.unref();
    worker.on('message', (reply: QueryReply) => {
      this.pending.get(reply.number)?.('rows' in reply ? ok(reply.rows) : err(reply.problem));
      this.pending.delete(reply.number);
    });
    const end = (why: string): void => {
      if (this.worker === worker) this.worker = undefined;
      for (const resolve of this.pending.values()) resolve(err(why));
      this.pending.clear();
    };
    worker.once('error', (error) => end(`its thread failed: ${String(error)}`));
    worker.once('exit', () => end('its thread ended'));
    return worker;
  }
}

function badQuestion({ message, remedy }: QuestionError): Refusal {
  return { kind: 'bad-parameter', message, remedy };
}

function valueOf(value: unknown): Value {
  return typeof value === 'string' || typeof value === 'number' ? value : null;
}

/** Changes when a file does: the tables are looked at anew then. */
function stampOf(folder: string): string {
  return [...Object.values(derivedFiles), sessionFiles.journal]
    .map((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return `${found?.size}@${found?.mtimeMs}#${found?.ino}`;
    })
    .join(' ');
}
