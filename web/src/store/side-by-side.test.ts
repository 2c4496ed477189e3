import { expect, test, vi } from 'vitest';
import type { SessionView } from '@faultline/shared';
import { emptyAppState, type Shown } from './app-state.ts';
import { cursorIn } from './cursor-store.ts';
import { readPageState } from './page-state.ts';
import { markPlace } from './select-writing.ts';
import { onOneScale, sideBySide, targetIdIn } from './side-by-side.ts';

type Run = SessionView['runs'][number];

/** A moment of a kernel that was booted at `bootedAtMs`, traced from `startedAtMs`, and has told of what was until `newestAtMs`. */
function moment(
  id: string,
  at: { readonly bootedAtMs: number; readonly startedAtMs: number; readonly newestAtMs: number },
  state: Run['state'] = 'running',
): Shown {
  const identity = {
    ...{ hostname: id, release: '6.1', machine: 'x86_64', cpuCount: 1, isEmulated: false, config: {} },
    clockOffsetMs: at.bootedAtMs,
  };
  const run = { id: 'r', index: 0, probe: 'p', stream: 's', state } as unknown as Run;
  const view: SessionView = {
    id: `session-${id}`,
    target: { id, kind: 'guest', title: id, identity },
    startedAtMs: at.startedAtMs,
    recording: { id: `rec-${id}`, state: 'recording', journalBytes: 1 },
    runs: [run],
  };
  const session = {
    ...{ view, runs: new Map(), seq: 1, atMs: at.newestAtMs, frameCount: 0 },
    ...{ clientDroppedCalls: 0, clientMergedTicks: 0, lossSpans: [] },
  };
  return {
    app: emptyAppState,
    page: readPageState('?target=one&beside=two'),
    link: { kind: 'live' },
    target: view.target,
    live: session,
    session,
    clock: undefined,
    untilNs: (at.newestAtMs - at.bootedAtMs) * 1e6,
    nowMs: at.newestAtMs,
    dataAtMs: at.newestAtMs,
    recorded: undefined,
  };
}

const early = { bootedAtMs: 100_000, startedAtMs: 500_000, newestAtMs: 560_000 };
const late = { bootedAtMs: 400_000, startedAtMs: 520_000, newestAtMs: 560_250 };

test('both columns end at the newest instant of either and count from the beginning of the first, by the wall clock', () => {
  const { left, right } = sideBySide(moment('one', early), moment('two', late));
  expect([left, right].map(({ clock, untilNs }) => clock?.sessionMs(untilNs))).toEqual([60_250, 60_250]);
  expect([left.untilNs, right.untilNs]).toEqual([460_250e6, 160_250e6]);
  expect([left, right].map(({ clock }) => clock?.zeroAtMs)).toEqual([500_000, 500_000]);
  expect([left.other, right.other]).toEqual([right, left]);
});

test('a target that has ended does not hold the axis, and does not end it; two that have ended end it with the later one', () => {
  const ahead = { ...late, newestAtMs: 600_000 };
  const dead = moment('two', ahead, 'failed');
  expect(sideBySide(moment('one', early), dead).left.untilNs).toBe(460_000e6);
  const { left, right } = sideBySide(moment('one', early, 'stopped'), dead);
  expect([left.untilNs, right.untilNs]).toEqual([500_000e6, 200_000e6]);
});

test('a column without figures stays as it is, and the other is alone on its axis', () => {
  const nothing = { ...moment('two', late), live: undefined, session: undefined, untilNs: 0 };
  const { left, right } = sideBySide(moment('one', early), nothing);
  expect(left.clock?.sessionMs(left.untilNs)).toBe(60_000);
  expect([right.clock, right.untilNs]).toEqual([undefined, 0]);
});

test('an instant of one kernel is the same instant of the other', () => {
  const { left, right } = sideBySide(moment('one', early), moment('two', late));
  const cursor = { atNs: 455_000e6, column: 'left', by: 'mouse', panel: 'wait' } as const;
  expect(cursorIn('left', cursor, left)?.atNs).toBe(455_000e6);
  expect(cursorIn('right', cursor, right)?.atNs).toBe(155_000e6);
});

test('a mark at the cursor is of the column it is asked in, at that instant, in the seconds of the axis', () => {
  const { left, right } = sideBySide(moment('one', early), moment('two', late));
  const cursor = { atNs: 440_000e6, column: 'left', by: 'mouse', panel: 'wait' } as const;
  const marks = (
    [
      ['left', left],
      ['right', right],
    ] as const
  ).map(([column, shown]) => markPlace(shown, cursorIn(column, cursor, shown)?.atNs, 0));
  expect(marks).toEqual([
    { session: 'rec-one', atMs: 540_000, words: '40.00 s' },
    { session: 'rec-two', atMs: 540_000, words: '40.00 s' },
  ]);
});

test('a view on one scale is made once a moment and column, and not joined where each has its own', () => {
  const select = vi.fn<(shown: Shown) => number>(({ untilNs }) => untilNs);
  const onScale = onOneScale(select, (own, other) => Math.max(own, other));
  const { left, right } = sideBySide(moment('one', early), moment('two', late));
  expect([onScale(left), onScale(right), onScale(left)]).toEqual([460_250e6, 460_250e6, 460_250e6]);
  expect(select).toHaveBeenCalledTimes(2);
  const own = { ...right, page: readPageState('?target=one&beside=two&scales=own') };
  expect(onScale(own)).toBe(160_250e6);
});

test('the left column is the target of the address, or any but the one in the right column', () => {
  const targets = [
    { id: 'host', kind: 'host', title: 'host' },
    { id: 'lab', kind: 'guest', title: 'guest' },
  ] as const;
  const app = { ...emptyAppState, targets };
  const idsOf = (search: string) => [
    targetIdIn('left', app, readPageState(search)),
    targetIdIn('right', app, readPageState(search)),
  ];
  expect(idsOf('?beside=host')).toEqual(['lab', 'host']);
  expect(idsOf('?target=gone&beside=host')).toEqual(['gone', 'host']);
  expect(idsOf('?target=gone')).toEqual(['host', undefined]);
  expect(idsOf('?target=lab&beside=host&page=probes')).toEqual(['lab', undefined]);
});
