import { type CallsAnswer, type Problem, type Result, err, ok } from '@faultline/shared';
import { expect, test } from 'vitest';
import { CallsAsker, askedColumn, askedRow } from './calls-asker.ts';

const total = 20_000;

/** A server that answers when it is told to; rows say their number. */
function slowServer() {
  const asked: string[] = [];
  const waiting: ((answer: Result<CallsAnswer, Problem>) => void)[] = [];
  const port = {
    calls: (id: string, query: string): Promise<Result<CallsAnswer, Problem>> => {
      asked.push(`${id} ${query}`);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
  const answer = async (failure?: Problem): Promise<void> => {
    const query = new URLSearchParams(asked.at(-1)?.split(' ')[1]);
    const [offset, limit] = [Number(query.get('offset')), Number(query.get('limit'))];
    const length = Math.max(0, Math.min(limit, total - offset));
    const rows = Array.from({ length }, (_, at) => [query.get('which') ?? '', offset + at]);
    const columns: CallsAnswer['columns'] = [
      { name: 'which', type: 'text' },
      { name: 'value_', type: 'number' },
    ];
    waiting.shift()?.(failure === undefined ? ok({ total, columns, rows }) : err(failure));
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { port, asked, answer, waiting };
}

const about = (which: string) => ({ session: 's', run: 0, query: `which=${which}` });

test('asks for the pages in sight, once each, and finds rows and columns in them', async () => {
  const { port, asked, answer } = slowServer();
  let changes = 0;
  const asker = new CallsAsker(port, () => (changes += 1));
  asker.want(about('a'), 190, 410);
  for (let page = 0; page < 3; page += 1) await answer();
  expect(asked).toEqual([0, 200, 400].map((offset) => `s which=a&limit=200&offset=${offset}`));
  expect(changes).toBe(3);
  const { state } = asker;
  if (state === undefined) throw new Error('it has been answered');
  for (const row of [0, 199, 200, 599]) expect(askedRow(state, row)).toEqual(['a', row]);
  expect(askedRow(state, 600)).toBeUndefined();
  // A column of a stream that is called as one of the table's own is another there.
  expect([askedColumn(state, 'which'), askedColumn(state, 'value'), askedColumn(state, 'nothing')]).toEqual([0, 1, -1]);
  asker.want(about('a'), 0, 500);
  expect(asked).toHaveLength(3);
  // The table ends at its total, wherever it is looked at.
  asker.want(about('a'), 19_990, 50_000);
  await answer();
  expect(asked.at(-1)).toBe('s which=a&limit=200&offset=19800');
  expect(asked).toHaveLength(4);
});

test('asks one question at a time, and of those that came meanwhile the last', async () => {
  const { port, asked, answer, waiting } = slowServer();
  const asker = new CallsAsker(port, () => undefined);
  for (const which of ['a', 'b', 'c']) asker.want(about(which), 0, 10);
  expect(waiting).toHaveLength(1);
  await answer();
  // Until c is answered, a is what there is.
  expect(asker.state?.question.query).toBe('which=a');
  await answer();
  expect(asked.map((one) => one.slice(8, 9))).toEqual(['a', 'c']);
  expect(asker.state?.question.query).toBe('which=c');
  expect(asker.state?.pages.size).toBe(1);
});

test('keeps why it was refused, and asks again only when it is told to', async () => {
  const { port, asked, answer } = slowServer();
  const asker = new CallsAsker(port, () => undefined);
  asker.want(about('a'), 0, 10);
  await answer({ error: 'store-problem', message: 'no room' });
  expect(asker.state?.problem?.message).toBe('no room');
  asker.want(about('a'), 0, 20);
  expect(asked).toHaveLength(1);
  asker.retry();
  await answer();
  expect(asker.state).toMatchObject({ total, problem: undefined });
});

test('forgets the pages it was shown first', async () => {
  const { port, answer } = slowServer();
  const asker = new CallsAsker(port, () => undefined);
  asker.want(about('a'), 0, 0);
  await answer();
  for (let round = 0; round < 60; round += 1) {
    asker.want(about('a'), round * 200, round * 200);
    await answer();
  }
  expect([...(asker.state?.pages.keys() ?? [])]).toEqual(Array.from({ length: 50 }, (_, at) => at + 10));
});
