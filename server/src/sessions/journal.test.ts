import { ensure, type JournalLine } from '@faultline/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { busyProbe } from '../../test/fakes/busy-probe.ts';
import { FakeSession, fakeRun } from '../../test/fakes/fake-session.ts';
import { callTypesOf, intents, SliceMaker } from '../../test/fakes/random-slices.ts';
import { headLine, otherLine, tickLine } from './journal-line.ts';
import { decodeJournal, JournalDecoder, type JournalEvent } from './journal-reader.ts';
import { RecordedFigures } from './recorded-figures.ts';

const [counts, detail] = busyProbe.manifest.streams;
const head = headLine({
  session: 's',
  faultline: '0',
  createdAtMs: 1_000,
  target: { id: 'host', kind: 'host', title: 'host' },
});

/** The columns of the random slices' runs. */
const random = ensure(detail, 'a stream of calls');
const columns = (['timeNs', 'u8', 'text'] as const).map((type) => ({ ...ensure(random.columns[0], 'a column'), type }));
const runLines = [
  otherLine({ kind: 'run', run: { view: fakeRun(0), stream: { ...random, columns } } }),
  otherLine({ kind: 'run', run: { view: fakeRun(1), stream: ensure(counts, 'a stream of counts') } }),
];

async function decode(text: string | Buffer, chunkBytes = 1_000_000): Promise<JournalEvent[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  return Array.fromAsync(decodeJournal(chunks()));
}

/** A journal of random ticks, and the session that had them. */
function randomJournal(ticks: readonly Parameters<SliceMaker['slices']>[0][]): { text: string; session: FakeSession } {
  const session = new FakeSession({ callTypes: callTypesOf });
  const lines: string[] = [];
  session.onTick((tick) => void lines.push(tickLine(tick)));
  const maker = new SliceMaker();
  for (const tick of ticks) {
    // One slice a run and tick, as a session makes them.
    const once = tick.filter(({ run }, at) => tick.findIndex((other) => other.run === run) === at);
    session.push(maker.slices(once));
  }
  return { text: [head, ...runLines, ...lines].join(''), session };
}

describe('a journal', () => {
  it('reads back as exactly the ticks that were written, wherever its bytes are split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(intents, { maxLength: 12 }), fc.integer({ min: 1, max: 400 }), async (ticks, size) => {
        const { text, session } = randomJournal(ticks);
        const events = await decode(text, size);
        const read = events.flatMap((event) => (event.kind === 'tick' ? [event.tick] : []));
        expect(read).toEqual(session.ticksFrom(1) ?? []);
        const figures = new RecordedFigures();
        for (const event of events) figures.add(event);
        for (const { run, cells, totals, texts, calls, callCount } of session.totals()) {
          const recorded = ensure(figures.runs[run], 'the run').totalsOf(run);
          expect(recorded).toMatchObject({ cells, totals, texts, calls, callCount });
        }
      }),
      { numRuns: 60 },
    );
  });

  it('cut off anywhere gives the ticks before the cut, and says how much was torn', async () => {
    const { text } = randomJournal([
      [{ run: 0, newCells: 2, changes: [[0, 5]], newTexts: 1, calls: 3 }],
      [{ run: 1, newCells: 1, changes: [[0, 9]], newTexts: 0, calls: 0 }],
    ]);
    const whole = (await decode(text)).length;
    for (let cut = 0; cut < text.length; cut += 1) {
      const events = await decode(text.slice(0, cut));
      const lines = text.slice(0, cut).split('\n').length - 1;
      const isTorn = cut > 0 && text[cut - 1] !== '\n';
      expect(events.length).toBe(lines + (isTorn ? 1 : 0));
      expect(events.length).toBeLessThanOrEqual(whole);
      if (isTorn)
        expect(events.at(-1)).toMatchObject({ kind: 'torn', wholeBytes: text.slice(0, cut).lastIndexOf('\n') + 1 });
      expect(events.some(({ kind }) => kind === 'damaged')).toBe(false);
    }
  });

  const slice = { run: 0, fromNs: 0, toNs: 1 };
  const tick = (slices: readonly object[], seq = 1): string =>
    `${JSON.stringify({ kind: 'tick', seq, atMs: 1, slices })}\n`;
  it.each<[string, string]>([
    ['a run that was not started', tick([{ ...slice, run: 7 }])],
    ['two slices of one run', tick([slice, slice])],
    ['time that goes backwards', tick([{ ...slice, fromNs: 2 }])],
    ['a cell that has not appeared', tick([{ ...slice, cells: [0], deltas: [1] }])],
    ['a cell without a delta', tick([{ ...slice, newCells: [{ cell: 0, metric: 'm', dims: {} }], cells: [0] }])],
    ['cells out of order', tick([{ ...slice, newCells: [{ cell: 4, metric: 'm', dims: {} }] }])],
    ['too few columns', tick([{ ...slice, calls: [[1]] }])],
    ['columns of different lengths', tick([{ ...slice, newTexts: ['a'], calls: [[1], [1, 2], [0]] }])],
    ['a text that has not appeared', tick([{ ...slice, calls: [[1], [1], [0]] }])],
    ['a number that its column cannot hold', tick([{ ...slice, newTexts: ['a'], calls: [[1], [256], [0]] }])],
    ['an unknown property', tick([{ ...slice, extra: 1 }])],
    ['an unknown kind of line', '{"kind":"bogus"}\n'],
    ['a second run of one number', runLines[0] ?? ''],
    ['a line that is not JSON', '{"kind":\n'],
    ['infinity', tick([slice]).replace('"toNs":1', '"toNs":1e999')],
  ])('with %s is not believed, and nothing after it', async (_, line) => {
    const events = await decode([head, ...runLines, line, tick([slice], 9)].join(''));
    expect(events.map(({ kind }) => kind)).toEqual(['head', 'run', 'run', 'damaged']);
  });

  it('of a newer format is refused, naming both versions', () => {
    const line = head.replace('"formatVersion":2', '"formatVersion":3');
    const answer = new JournalDecoder().line(line);
    expect(answer).toEqual({ ok: false, error: expect.stringMatching(/format version 3.*reads up to 2/) });
  });

  it('ends with its last line', async () => {
    const end: JournalLine = { kind: 'end', atMs: 5 };
    const events = await decode([head, otherLine(end), otherLine(end)].join(''));
    expect(events.map(({ kind }) => kind)).toEqual(['head', 'end', 'damaged']);
  });
});
