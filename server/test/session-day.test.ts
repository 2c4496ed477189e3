import { setImmediate as breathe } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ensure } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { Derivation } from '../src/queries/derivation.ts';
import { isDerived, readFinalFigures } from '../src/sessions/session-totals.ts';
import { busyProbe, wideLimits } from './fakes/busy-probe.ts';
import { PassingSession } from './fakes/passing-session.ts';
import { openTempStore } from './fakes/temp-store.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

const hourMs = 3_600_000;
const mib = 1024 ** 2;

/** What this process keeps, bytes: heap and buffers, after what was let go of is collected. */
function keptBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('a session of 24 hours', () => {
  it('is recorded and closed with flat memory, and every event of it is there', async () => {
    const limits = { ...wideLimits, sessionAgeMaxMs: 48 * hourMs };
    const derivation = new Derivation();
    await using temp = await openTempStore({ limits, derivation });
    const session = new PassingSession('day', 1_000_000);
    const recording = temp.store.record(session, [busyProbe]);
    const kept: number[] = [];
    let [tickCount, eventCount, callCount] = [0, 0, 0];
    for (let hour = 0; hour < 24; hour += 1) {
      // Four counts a second as of a quiet machine; every sixth hour begins with five minutes of calls, ten ticks a second.
      const busyMs = hour % 6 === 0 ? 300_000 : 0;
      for (let afterMs = 0; afterMs < hourMs; afterMs += afterMs < busyMs ? 100 : 250) {
        const calls = afterMs < busyMs ? 25 : 0;
        session.pass(hour * hourMs + afterMs, 3 + calls, calls);
        tickCount += 1;
        eventCount += 3 + calls;
        callCount += calls;
        if (tickCount % 500 === 0) await breathe();
      }
      await breathe();
      kept.push(keptBytes());
    }
    const growth = ensure(kept.at(-1), 'an hour') - ensure(kept[1], 'an hour');
    expect(growth).toBeLessThan(8 * mib);
    let peakBytes = 0;
    const rssBefore = process.memoryUsage.rss();
    const timer = setInterval(() => (peakBytes = Math.max(peakBytes, process.memoryUsage.rss())), 20);
    await recording.close();
    await derivation[Symbol.asyncDispose]();
    clearInterval(timer);
    expect(recording.view()?.problem).toBeUndefined();
    expect(peakBytes - rssBefore).toBeLessThan(400 * mib);
    expect(keptBytes() - ensure(kept.at(-1), 'an hour')).toBeLessThan(8 * mib);
    const found = temp.store.library.findReadable('day');
    if (!found.ok) throw new Error(found.error.message);
    expect(found.value.manifest).toMatchObject({ state: 'closed', held: { tickCount, callCount, eventCount } });
    expect(isDerived(found.value)).toBe(true);
    expect((await readFinalFigures(found.value)).figures.held(0)).toMatchObject({ tickCount, callCount, eventCount });
  }, 180_000);
});
