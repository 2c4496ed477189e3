/**
 * Records at full load into the store it is told, until it is killed. After each tick it says, before it does anything
 * else: session, tick, wall clock, calls and events so far.
 */
import { writeSync } from 'node:fs';
import { Store } from '../../src/sessions/store.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { HostTarget } from '../../src/targets/host.ts';
import { busyProbe, fakeBpftrace, wideLimits } from './busy-probe.ts';

process.env['FAKE_BPFTRACE'] = 'busy';
const folder = process.argv[2] ?? '';
const clock = (): number => Date.now();
const opened = await Store.open({
  folder,
  role: 'server',
  limits: wideLimits,
  faultline: 'test',
  clock,
  report: (text) => void writeSync(2, `${text}\n`),
});
if (!opened.ok) throw new Error(opened.error.message);
const store = opened.value;
const tracer = new Tracer({
  targets: [new HostTarget({ bpftrace: fakeBpftrace, prefix: [] })],
  probes: [busyProbe],
  clock,
  record: store.record.bind(store),
});
const session = await tracer.session('host');
if (!session.ok) throw new Error(session.error.message);
let calls = 0;
let events = 0;
session.value.onTick((tick) => {
  for (const slice of tick.slices) {
    calls += slice.callCount;
    if (slice.run === 0) events += slice.deltas.reduce((sum, delta) => sum + delta, 0);
  }
  const id = session.value.view().recording?.id ?? '';
  writeSync(1, `${JSON.stringify({ id, seq: tick.seq, atMs: tick.atMs, calls, events })}\n`);
});
for (const stream of ['counts', 'detail']) {
  const run = await tracer.startRun({ targetId: 'host', probe: 'busy', stream });
  if (!run.ok) throw new Error(run.error.message);
}
process.on('SIGTERM', () => {
  void tracer[Symbol.asyncDispose]()
    .then(() => store[Symbol.asyncDispose]())
    .then(() => process.exit(0));
});
