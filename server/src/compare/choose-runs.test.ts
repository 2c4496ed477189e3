import { gate } from '@faultline/shared';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { busyProbe } from '../../test/fakes/busy-probe.ts';
import { type FaultRun, realProbes, recordFaultRun } from '../../test/fakes/recorded-fault-runs.ts';
import { busySession, openTempStore, pushBusyTick, type TempStore } from '../../test/fakes/temp-store.ts';
import { chooseRuns } from './choose-runs.ts';
import { readComparedSide } from './compared-side.ts';
import { buildOf } from './recorded-run.ts';

let temp: TempStore;
const probes = await realProbes();

beforeEach(async () => {
  temp = await openTempStore();
});

afterEach(() => temp[Symbol.asyncDispose]());

async function record(kernel: string, identity: FaultRun['identity'] = {}, isLive = false): Promise<string> {
  return recordFaultRun(temp, probes, {
    ...{ kernel, number: 1, faults: isLive ? 7 : 1, faultNs: 1_000, violations: 0 },
    ...{ identity, isLive },
  });
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

it('leaves out what is still being recorded where it selects, refuses it in a folder, and takes it where it is named', async () => {
  const session = busySession('host');
  const recording = temp.store.record(session, [busyProbe]);
  pushBusyTick(session, 5, 1);
  const id = recording.view()?.id ?? '';
  const [entry] = temp.store.library.list();
  if (entry?.manifest === undefined) throw new Error('the session that is being recorded is in the list');
  const build = buildOf(entry.manifest);
  expect(chosen(`build:${build}`)).toContain('no closed session');
  expect(chosen(`${temp.store.library.folder}/`)).toContain('still being recorded');
  expect(chosen(id)).toEqual([id]);
  await recording.close();
  expect(chosen(`build:${build}`)).toEqual([id]);
});

it('takes a build that is a folder by its name, and not as a folder of sessions', async () => {
  await record('/home/somebody/linux');
  expect(chosen('build:/home/somebody/linux')).toEqual(['/home/somebody/linux']);
});

it('reads what is still being recorded as far as it has come, and the gate says so', async () => {
  const closed = await record('6.1');
  const live = await record('6.12', {}, true);
  const sides = await Promise.all(
    [closed, live].map(async (id) => {
      const found = chooseRuns([id], temp.store.library);
      if (!found.ok) throw new Error(found.error.message);
      const read = await readComparedSide(found.value, id);
      if (!read.ok) throw new Error(read.error.message);
      return read.value.side;
    }),
  );
  expect(sides.map(({ runs }) => runs[0]?.values.get('faults'))).toEqual([1, 7]);
  const [baseline, candidate] = sides.map(({ runs }) => runs);
  const messages = gate(baseline ?? [], candidate ?? []).map(({ level, message }) => `${level}: ${message}`);
  expect(messages).toContain(
    `note: ${live} of the candidate is still being recorded: what came in its first 00:00:00 is compared`,
  );
  expect(messages.join()).not.toContain('of the baseline is still');
});
