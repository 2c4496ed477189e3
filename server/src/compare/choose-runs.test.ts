import { afterEach, beforeEach, expect, it } from 'vitest';
import { busyProbe } from '../../test/fakes/busy-probe.ts';
import { type FaultRun, realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { busySession, openTempStore, pushBusyTick, type TempStore } from '../../test/fakes/temp-store.ts';
import { chooseRuns } from './choose-runs.ts';
import { buildOf } from './recorded-run.ts';

let temp: TempStore;
const probes = await realProbes();

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

async function record(kernel: string, identity: FaultRun['identity'] = {}): Promise<void> {
  await recordFaultRun(temp, probes, { kernel, number: 1, faults: 1, faultNs: 1_000, violations: 0, identity });
}

function chosen(word: string): readonly string[] | string {
  const found = chooseRuns([word], temp.store.library);
  return found.ok ? found.value.map(({ manifest }) => manifest.setup?.build ?? manifest.id) : found.error.message;
}

it('takes the build of that very name alone, though the releases of another begin alike', async () => {
  await record('6.1', { release: '6.1.0-42-amd64' });
  await record('6.1-rt', { release: '6.1.0-42-rt-amd64' });
  expect(chosen('build:6.1')).toEqual(['6.1']);
  // No build has this name: it is the beginning of both releases.
  expect(chosen('build:6.1.0')).toEqual(['6.1', '6.1-rt']);
});

it('leaves out what is still being recorded where it selects, and refuses it where it is named', async () => {
  const session = busySession('host');
  const recording = temp.store.record(session, [busyProbe]);
  pushBusyTick(session, 5, 1);
  const id = recording.view()?.id ?? '';
  const [entry] = temp.store.library.list();
  if (entry?.manifest === undefined) throw new Error('the session that is being recorded is in the list');
  const build = buildOf(entry.manifest);
  expect(chosen(`build:${build}`)).toContain('no closed session');
  expect(chosen(id)).toContain('still being recorded');
  await recording.close();
  expect(chosen(`build:${build}`)).toEqual([id]);
});

it('takes a build that is a folder by its name, and not as a folder of sessions', async () => {
  await record('/home/somebody/linux');
  expect(chosen('build:/home/somebody/linux')).toEqual(['/home/somebody/linux']);
});
