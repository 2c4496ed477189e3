import { expect, test } from 'vitest';
import { type RecordingRow, recordingFactsBytesMax } from '@faultline/shared';
import { emptyAppState, type Shown } from './app-state.ts';
import type { RecordingsState } from './recordings-state.ts';
import { readPageState } from './page-state.ts';
import { buildWord, selectSessionNews, selectSessions } from './select-sessions.ts';

function row(id: string, createdAtMs: number, part: Partial<NonNullable<RecordingRow['session']>> = {}): RecordingRow {
  const session = {
    state: 'closed' as const,
    createdAtMs,
    lastAtMs: createdAtMs + 5_000,
    isPinned: false,
    targetKind: 'host',
    targetTitle: 'this host',
    hostname: 'vm',
    release: '6.1.0',
    build: '6.1',
    isEmulated: false,
    probes: ['mmap-lock'],
    recordedCount: 10,
    lostCount: 0,
    isComplete: true,
    noteCount: 0,
    markCount: 0,
    ...part,
  };
  return { id, bytes: 100, isLive: false, session };
}

const rows: readonly RecordingRow[] = [
  row('old', 1_000, { name: 'Unbind', release: '6.12.3', build: '6.12', recordedCount: 5 }),
  row('new', 3_000, { label: 'base', isPinned: true }),
  { ...row('middle', 2_000, { lostCount: 3, isComplete: false, probes: ['vfio-fault'] }), facts: { faultCount: 7 } },
  { id: 'torn', bytes: 5, isLive: false, problem: 'its manifest is not JSON' },
];

function shown(
  search: string,
  removed: RecordingsState['removed'] = new Map(),
  listed: readonly RecordingRow[] = rows,
): Shown {
  const overview = {
    kind: 'ready' as const,
    value: {
      rows: [...listed],
      formats: ['csv'],
      usedBytes: 305,
      bytesMax: 1024,
      ageMaxMs: 86_400_000,
      sessionBytesMax: 2048,
      sessionAgeMaxMs: 3_600_000,
    },
  };
  return {
    app: { ...emptyAppState, recordings: { ...emptyAppState.recordings, overview, removed } },
    page: readPageState(search),
    link: { kind: 'no-session' },
    target: undefined,
    live: undefined,
    session: undefined,
    clock: undefined,
    untilNs: 0,
    nowMs: 0,
    dataAtMs: undefined,
    recorded: undefined,
  };
}

const ids = (search: string): readonly string[] => selectSessions(shown(search)).rows.map(({ id }) => id);

test('sessions come the newest first, and sorted as the address says', () => {
  expect(ids('')).toEqual(['new', 'middle', 'old']);
  expect(ids('?order=when')).toEqual(['old', 'middle', 'new']);
  expect(ids('?order=title')).toEqual(['middle', 'new', 'old']);
  expect(ids('?order=-events')).toEqual(['new', 'middle', 'old']);
  expect(ids('?order=-faults')[0]).toBe('middle');
  expect(ids('?order=nonsense')).toEqual(['new', 'middle', 'old']);
});

test('are found by every word of what one knows of them, whatever the case', () => {
  expect(ids('?find=unbind')).toEqual(['old']);
  expect(ids('?find=6.12')).toEqual(['old']);
  expect(ids('?find=VFIO')).toEqual(['middle']);
  expect(ids('?find=pinned')).toEqual(['new']);
  expect(ids('?find=vm+base')).toEqual(['new']);
  expect(ids('?find=vm+nowhere')).toEqual([]);
});

test('are found by their build as a whole, and by what its module is', () => {
  const builds = ['6.1', '6.1-v1', '6.1-V1d', '/trees/linux a'];
  const all = builds.map((build, at) =>
    row(String(at), at, { build, ...(at === 2 ? { module: 'with v1d.cocci' } : {}) }),
  );
  const found = (find: string): readonly string[] =>
    selectSessions(shown(`?${new URLSearchParams({ find }).toString()}`, new Map(), all)).rows.map(({ id }) => id);
  expect(found('6.1-v1')).toEqual(['2', '1']);
  expect(found('v1d.cocci')).toEqual(['2']);
  for (const [at, build] of builds.entries()) expect(found(buildWord(build))).toEqual([String(at)]);
  expect(found(`${buildWord('6.1-v1d')} vm`)).toEqual(['2']);
  expect(found('build:6')).toEqual([]);
});

test('what cannot be read stands apart, with why', () => {
  const page = selectSessions(shown(''));
  expect(page.broken).toEqual([{ id: 'torn', problem: 'its manifest is not JSON', size: '5 B' }]);
  expect(page.storage.hint).toMatch(/^One session: at most 2 KiB and 1 hour, .*oldest unpinned/);
  expect(page.storage.words).toBe('4 sessions, 305 B of 1 KiB; unpinned ones go after 1 day');
});

test('one that was removed is gone from the list, and named where it can be had back', () => {
  const now = shown('', new Map([['old', { title: 'Unbind', untilMs: 10 }]]));
  expect(selectSessions(now).rows.map(({ id }) => id)).toEqual(['new', 'middle']);
  expect(selectSessionNews(now).removed).toEqual([{ id: 'old', title: 'Unbind' }]);
});

test('what was not counted is a dash and not a zero', () => {
  const [first, second] = selectSessions(shown('')).rows;
  expect([first?.faults, first?.violations, second?.faults]).toEqual([undefined, undefined, 7]);
});

test('what is being counted is told from what nobody counts', () => {
  const large = { ...row('large', 1), bytes: recordingFactsBytesMax + 1 };
  const all = [row('soon', 4), { ...row('live', 3), isLive: true }, { ...row('none', 2), facts: {} }, large];
  const seen = selectSessions(shown('', new Map(), all)).rows.map(({ isCounting, faultsHint }) => [
    isCounting,
    faultsHint,
  ]);
  expect(seen).toEqual([
    [true, 'being counted'],
    [false, 'counted when it has ended'],
    [false, 'faults were not traced'],
    [false, 'too large to be counted for the list: open it'],
  ]);
});

test('how long a run took is told in tenths of a second, a longer session by the clock', () => {
  const lasting = (id: string, ms: number) => row(id, 9_000 - ms, { lastAtMs: 9_000 });
  const all = [lasting('run', 480), lasting('minute', 59_900), lasting('hour', 3_723_000)];
  expect(selectSessions(shown('', new Map(), all)).rows.map(({ lengthWords }) => lengthWords)).toEqual([
    '0.5 s',
    '59.9 s',
    '01:02:03',
  ]);
});
