/** Two machines over ssh at once: both traced and recorded, compared as they go on, and one that is lost. */
import { type ComparisonAnswer, ensure } from '@faultline/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SessionSource } from '../src/sessions/tracing.ts';
import { Tracer } from '../src/sessions/tracer.ts';
import { SshTarget } from '../src/targets/ssh.ts';
import { realProbes } from './fakes/recorded-fault-runs.ts';
import { type StartedApp, startApp } from './fakes/start-app.ts';
import { openTempStore, type TempStore } from './fakes/temp-store.ts';
import { load } from './load.ts';
import { type LoopbackSshd, startLoopbackSshd } from './loopback-sshd.ts';
import { until } from './until.ts';

type Compared = ComparisonAnswer['comparison']['candidates'][number];

const names = ['one', 'two'] as const;
/** bpftrace attaches within a second; beside a load of 12 within ten. */
const patienceMs = 40_000;
let machines: readonly LoopbackSshd[];
let temp: TempStore;
let tracer: Tracer;
let server: StartedApp;

beforeAll(async () => {
  machines = await Promise.all(names.map((name) => startLoopbackSshd(name)));
  temp = await openTempStore({ clock: () => Date.now() });
  tracer = new Tracer({
    targets: machines.map(({ destination, configFile }) => {
      return new SshTarget({ destination, configFile, bpftrace: 'bpftrace', prefix: [] });
    }),
    probes: await realProbes(),
    clock: () => Date.now(),
    record: temp.store.record.bind(temp.store),
  });
  server = await startApp({ library: temp.store.library });
  const started = names.map((name) =>
    tracer.startRun({ targetId: `ssh:${name}`, probe: 'mmap-lock', stream: 'counts' }),
  );
  for (const run of await Promise.all(started)) if (!run.ok) throw new Error(run.error.message);
  await until(() => tracer.runs().every(({ state }) => state === 'running'), patienceMs);
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await tracer[Symbol.asyncDispose]();
  await temp[Symbol.asyncDispose]();
  await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()));
});

async function sessionOf(name: (typeof names)[number]): Promise<SessionSource> {
  const session = await tracer.session(`ssh:${name}`);
  if (!session.ok) throw new Error(session.error.message);
  return session.value;
}

/** Read acquisitions of the load that a machine has counted. */
async function readsOn(name: (typeof names)[number]): Promise<number> {
  return (await sessionOf(name))
    .summary()
    .runs.flatMap(({ totals }) => totals)
    .filter(({ metric, dims }) => metric === 'acquisitions' && dims['comm'] === 'pair' && dims['mode'] === 'mmap-read')
    .reduce((sum, { value }) => sum + value, 0);
}

/** What the page asks for at a click on Compare: the recordings of both as far as they have come. */
async function compareBoth(): Promise<Compared> {
  const ids = await Promise.all(
    names.map(async (name) => ensure((await sessionOf(name)).view().recording?.id, 'it is recorded')),
  );
  const answer = await fetch(`${server.url}/api/v1/compare?baseline=${ids[0]}&candidate=${ids[1]}`);
  expect(answer.status).toBe(200);
  const { comparison } = (await answer.json()) as ComparisonAnswer;
  return ensure(comparison.candidates[0], 'a candidate');
}

it('both count the same load exactly, each in a session of its own, and one request compares them', async () => {
  await load('mincore', '--count', '20000', '--name', 'pair');
  // Both are this machine, so both see all of it.
  for (const name of names) await until(async () => (await readsOn(name)) === 20_000, patienceMs);
  // What the sessions have counted is on its way to their journals.
  const lengths = ({ metrics }: Compared): string => {
    const acquired = metrics.find(({ metric }) => metric.title === 'mmap_lock acquired a second');
    return `${acquired?.baseline.length} ${acquired?.candidate.length}`;
  };
  await until(async () => lengths(await compareBoth()) === '1 1');
  const found = await compareBoth();
  expect(found.verdict).toBe('need-more-runs');
  expect(found.gate.filter(({ level }) => level === 'blocking')).toEqual([]);
  const said = found.gate.map(({ message }) => message).join('; ');
  expect(said).toMatch(/ssh_one-\S+ of the baseline is still being recorded: .*ssh_two-\S+ of the candidate is still/);
  expect(said).toContain('neither side is a run of one known workload');
});

it('the one goes on when the connection to the other is lost, and what is lost is not compared', async () => {
  await ensure(machines[0], 'the first machine').cut();
  await until(async () => (await sessionOf('one')).view().runs[0]?.state === 'failed', patienceMs);
  await load('mincore', '--count', '5000', '--name', 'pair');
  await until(async () => (await readsOn('two')) === 25_000, patienceMs);
  expect(await readsOn('one')).toBe(20_000);
  const found = await compareBoth();
  expect(found.verdict).toBe('not-comparable');
  expect(found.gate[0]?.message).toMatch(/^ssh_one-\S+ of the baseline is incomplete: mmap-lock:counts/);
});
