/** The calls of a recorded session, asked of the server page by page as they come into sight. */
import { type CallsAnswer, type Problem, columnName } from '@faultline/shared';
import type { Recordings } from '../api/recordings.ts';

/** Rows of one answer: some screens of a table. */
const pageRows = 200;
/** Answers that are kept: what one scrolls back to at once. */
const pagesKeptMax = 50;

/** Which calls, in which order: a query of GET …/calls without its page. */
export type CallsQuestion = { readonly session: string; readonly run: number; readonly query: string };

/** What was answered to the newest question that has an answer; rows by their number where they are here. */
export type AskedCalls = {
  readonly question: CallsQuestion;
  readonly total: number;
  /** Names of the values of a row. */
  readonly columns: readonly string[];
  /** By page. */
  readonly pages: ReadonlyMap<number, CallsAnswer['rows']>;
  readonly problem: Problem | undefined;
};

/** A call's values by the columns of its stream. */
export type AskedRow = CallsAnswer['rows'][number];

/** The row of a number, in the order asked for; undefined while it is not here. */
export function askedRow({ pages }: AskedCalls, row: number): AskedRow | undefined {
  return pages.get(Math.floor(row / pageRows))?.[row % pageRows];
}

/** Where in a row the column of a stream is: a name that the table has for itself is another there. */
export function askedColumn({ columns }: AskedCalls, name: string): number {
  return columns.indexOf(columnName(name));
}

type Sight = { readonly question: CallsQuestion; readonly first: number; readonly last: number };

/** Asks one question at a time; of those that come meanwhile the last one is asked next. */
export class CallsAsker {
  private readonly port: Pick<Recordings, 'calls'>;
  private readonly changed: () => void;
  private answered: AskedCalls | undefined;
  private wanted: Sight | undefined;
  private isAsking = false;

  /** `changed` is called when an answer has come. */
  constructor(port: Pick<Recordings, 'calls'>, changed: () => void) {
    this.port = port;
    this.changed = changed;
  }

  /** What is known; of an older question until the newest has been answered. */
  get state(): AskedCalls | undefined {
    return this.answered;
  }

  /** Has the rows from `first` to `last` fetched, where they are not here. */
  want(question: CallsQuestion, first: number, last: number): void {
    this.wanted = { question, first, last };
    if (!this.isAsking) void this.ask();
  }

  /** Asks again what was refused. */
  retry(): void {
    this.answered = undefined;
    if (this.wanted !== undefined) this.want(this.wanted.question, this.wanted.first, this.wanted.last);
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    for (let next = this.missing(); next !== undefined; next = this.missing()) {
      const { question, page } = next;
      const query = `${question.query}&limit=${pageRows}&offset=${page * pageRows}`;
      const answer = await this.port.calls(question.session, query);
      this.answered = answer.ok
        ? this.withPage(question, page, answer.value)
        : { question, total: 0, columns: [], pages: new Map(), problem: answer.error };
      this.changed();
    }
    this.isAsking = false;
  }

  private missing(): { readonly question: CallsQuestion; readonly page: number } | undefined {
    if (this.wanted === undefined) return undefined;
    const { question, first, last } = this.wanted;
    const known = this.answered !== undefined && isSame(this.answered.question, question) ? this.answered : undefined;
    if (known === undefined) return { question, page: Math.floor(first / pageRows) };
    if (known.problem !== undefined) return undefined;
    const lastPage = Math.floor(Math.min(last, known.total - 1) / pageRows);
    for (let page = Math.floor(first / pageRows); page <= lastPage; page += 1)
      if (!known.pages.has(page)) return { question, page };
    return undefined;
  }

  private withPage(question: CallsQuestion, page: number, { total, columns, rows }: CallsAnswer): AskedCalls {
    const known = this.answered !== undefined && isSame(this.answered.question, question) ? this.answered.pages : [];
    const pages = new Map([...known].slice(1 - pagesKeptMax)).set(page, rows);
    return { question, total, columns: columns.map(({ name }) => name), pages, problem: undefined };
  }
}

function isSame(left: CallsQuestion, right: CallsQuestion): boolean {
  return left.session === right.session && left.query === right.query;
}
