import { expect, test } from 'vitest';
import { type Problem, type Result, type SessionView, ok } from '@faultline/shared';
import { AppStore } from './app-store.ts';
import { PageStore } from './page-store.ts';
import { metricStatus } from './panel-status.ts';
import type { FeedEvents, Ports } from './ports.ts';
import { selectState, selectTitle } from './select-frame.ts';

const host = { id: 'host', kind: 'host', title: 'host' } as const;
const replay = { id: 'replay', kind: 'replay', title: 'recorded sample', badge: 'recorded' } as const;
const session = (target: SessionView['target'], id: string): SessionView => ({ id, target, startedAtMs: 0, runs: [] });

const refuse = async (): Promise<Result<never, Problem>> => ({
  ok: false,
  error: { error: 'no', message: 'No.', remedy: 'Ask later.' },
});

/** A server that records nothing. */
const noRecordings: Ports['recordings'] = {
  overview: refuse,
  store: refuse,
  previewBounds: refuse,
  setBounds: refuse,
  recording: refuse,
  view: refuse,
  calls: refuse,
  pin: refuse,
  edit: refuse,
  mark: refuse,
  note: refuse,
  editNote: refuse,
  remove: refuse,
  restore: refuse,
  import: refuse,
  export: refuse,
};

/** A world where nothing happens but what the test does. */
function fakeWorld(answers: Partial<Ports['http']>) {
  const opened: { readonly id: string; readonly events: FeedEvents }[] = [];
  const closed: string[] = [];
  let search = '';
  const ports: Ports = {
    http: {
      targets: async () => ok([host, replay]),
      probes: async () => ok([]),
      sessions: async () => ok([]),
      preflight: refuse,
      plans: refuse,
      startRun: refuse,
      stopRun: refuse,
      devices: refuse,
      lab: refuse,
      bootKernel: refuse,
      stopMachine: refuse,
      runWorkload: refuse,
      ...answers,
    },
    recordings: noRecordings,
    comparisons: {
      matrix: refuse,
      comparable: refuse,
      compare: refuse,
      heat: refuse,
      fileOf: refuse,
      saved: refuse,
      save: refuse,
      rename: refuse,
      annotate: refuse,
      remove: refuse,
    },
    openFeed: (id, events) => {
      opened.push({ id, events });
      return { resync: () => undefined, close: () => void closed.push(id) };
    },
    nowMs: () => 1000,
    every: () => () => undefined,
    frames: { nextFrame: (run) => run(), nowMs: () => 0 },
    afterPaint: (run) => run(),
  };
  const bar = {
    search: () => search,
    replace: (next: string) => {
      search = next;
    },
    push: (next: string) => {
      search = next;
    },
    onBack: () => () => undefined,
    later: (run: () => void) => run(),
  };
  return { app: new AppStore(ports, new PageStore(bar)), opened, closed };
}

test('without a session the page says that nothing is traced, and follows one as soon as there is one', async () => {
  let sessions: readonly SessionView[] = [];
  const { app, opened } = fakeWorld({ sessions: async () => ok(sessions) });
  await app.refresh();
  expect(selectState(app.get()).word).toBe('not tracing');
  sessions = [session(host, 's1')];
  await app.refresh();
  expect(opened.map(({ id }) => id)).toEqual(['s1']);
});

test('another target in the address is another session', async () => {
  const { app, opened } = fakeWorld({ sessions: async () => ok([session(host, 's1'), session(replay, 's2')]) });
  app.start();
  await app.refresh();
  await expect.poll(() => opened.map(({ id }) => id)).toEqual(['s1']);
  app.page.set({ target: 'replay' });
  expect(opened.map(({ id }) => id)).toEqual(['s1', 's2']);
  app[Symbol.dispose]();
});

test('columns that are swapped go on with their feeds, and one that is left is closed', async () => {
  const { app, opened, closed } = fakeWorld({ sessions: async () => ok([session(host, 's1'), session(replay, 's2')]) });
  app.page.set({ target: 'host', beside: 'replay' });
  app.start();
  await expect.poll(() => opened.map(({ id }) => id)).toEqual(['s1', 's2']);
  app.page.set({ target: 'replay', beside: 'host' });
  expect([opened.length, closed]).toEqual([2, []]);
  app.page.set({ beside: undefined });
  expect([opened.length, closed]).toEqual([2, ['s1']]);
  app[Symbol.dispose]();
  expect(closed).toEqual(['s1', 's2']);
});

test('a target of the address that is not there is said not to be, beside the one that is shown instead', async () => {
  const { app } = fakeWorld({});
  app.page.set({ target: 'lab-6.1-5c1e' });
  expect(selectState(app.get()).trouble).toBeUndefined();
  await app.refresh();
  const words = 'There is no target “lab-6.1-5c1e” here, or not any more. This is host.';
  expect(selectState(app.get())).toMatchObject({ target: { id: 'host' }, trouble: { words, isOfAddress: true } });
  app.page.set({ target: 'host' });
  await app.refresh();
  expect(selectState(app.get()).trouble).toBeUndefined();
});

test('the title of the browser’s tab says which page it is', async () => {
  const { app } = fakeWorld({});
  await app.refresh();
  expect(selectTitle(app.get())).toBe('not tracing · host – Faultline');
  app.page.set({ page: 'compare' });
  await app.refresh();
  expect(selectTitle(app.get())).toBe('compare – not tracing · host – Faultline');
});

test('before the kernel has said what can be traced on it, no panel offers to start anything', async () => {
  const asked = Promise.withResolvers<Awaited<ReturnType<Ports['http']['plans']>>>();
  const { app } = fakeWorld({ plans: () => asked.promise });
  const refreshed = app.refresh();
  const kind = (): string => metricStatus(app.get(), 'acquisitions').kind;
  await expect.poll(kind).toBe('loading');
  asked.resolve(ok([]));
  await refreshed;
  expect(kind()).toBe('empty');
});

test('a refused command says why until it is put aside', async () => {
  const { app } = fakeWorld({});
  await app.refresh();
  await app.startRun({ targetId: 'host', probe: 'mmap-lock', stream: 'latency' });
  expect(selectState(app.get()).trouble).toEqual({ words: 'No. Ask later.', command: 'start mmap-lock/latency' });
  app.dismiss('start mmap-lock/latency');
  expect(selectState(app.get()).trouble).toBeUndefined();
});

test('a server that cannot be reached is a sentence with a remedy', async () => {
  const problem = { error: 'unreachable', message: 'The server cannot be reached.', remedy: 'Is it running?' };
  const { app } = fakeWorld({ targets: async () => ({ ok: false, error: problem }) });
  await app.refresh();
  expect(selectState(app.get())).toMatchObject({
    word: 'no server',
    trouble: { words: 'The server cannot be reached. Is it running?' },
  });
});

test('a refusal that may pass is tried again, one that only a reload cures is not', async () => {
  const { app, opened } = fakeWorld({ sessions: async () => ok([session(host, 's1')]) });
  await app.refresh();
  opened[0]?.events.refused({ error: 'too-many-clients', message: 'Too many pages.' });
  await app.refresh();
  expect(opened).toHaveLength(2);
  opened[1]?.events.refused({ error: 'other-version', message: 'Another version.' });
  await app.refresh();
  expect(opened).toHaveLength(2);
});
