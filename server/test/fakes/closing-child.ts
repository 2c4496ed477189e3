/**
 * Records a session of many calls into the store it is told, and closes it. It says `closed` when the session has been closed, from when on its
 * totals and tables are being made, and `derived` when they are there.
 */
import { writeSync } from 'node:fs';
import { Derivation } from '../../src/queries/derivation.ts';
import { Store } from '../../src/sessions/store.ts';
import { busyProbe, wideLimits } from './busy-probe.ts';
import { PassingSession } from './passing-session.ts';

const [folder = '', id = '', ticks = '0'] = process.argv.slice(2);
const opened = await Store.open({
  folder,
  role: 'server',
  limits: wideLimits,
  faultline: 'test',
  clock: () => Date.now(),
  derivation: new Derivation(),
  report: (text) => void writeSync(2, `${text}\n`),
});
if (!opened.ok) throw new Error(opened.error.message);
const store = opened.value;
const session = new PassingSession(id, Date.now());
const recording = store.record(session, [busyProbe]);
for (let tick = 0; tick < Number(ticks); tick += 1) session.pass(tick * 100, 10, 500);
await recording.close();
writeSync(1, 'closed\n');
await store[Symbol.asyncDispose]();
writeSync(1, 'derived\n');
