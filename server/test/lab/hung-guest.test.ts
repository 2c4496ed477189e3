/** A guest whose CPUs hang is ended; and booted once more where its probes were still attaching. */
import { cacheFolder, saysHung, saysTimerLost } from '@faultline/lab';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { chooseStreams } from '../../src/cli/arguments.ts';
import { openGuest } from '../../src/lab/open-guest.ts';
import { readCatalogue } from '../../src/probes/catalogue.ts';
import { Tracer } from '../../src/sessions/tracer.ts';
import { GuestTarget } from '../../src/targets/guest.ts';
import { until } from '../until.ts';

/** What 6.1 printed while two bpftraces of a guest were stuck in it for four minutes; the number says which test it is. */
const hung = `watchdog: BUG: soft lockup - CPU#1 stuck for 75s! [bpftrace:${process.pid}]`;
/** And while four of them attached for a minute: a timer interrupt of its second CPU had been lost. */
const timerLost = 'rcu: Possible timer handling issue on cpu=1 timer-softirq=448';

it('a CPU that was held up by a busy machine is no hung one', () => {
  expect(saysHung(hung)).toBe(true);
  expect(saysHung(hung.replace('75s', '26s'))).toBe(false);
  expect(saysTimerLost(timerLost)).toBe(true);
  expect(saysTimerLost('rcu: rcu_preempt kthread starved for 5252 jiffies!')).toBe(false);
  expect(saysHung('rcu: INFO: rcu_preempt self-detected stall on CPU')).toBe(false);
});

/** Whether a console with these words was kept. */
async function isKept(words: string): Promise<boolean> {
  const folder = join(cacheFolder(), 'consoles');
  const names = await readdir(folder).catch(() => []);
  const texts = names.map((name) => readFile(join(folder, name, 'console.txt'), 'utf8').catch(() => ''));
  return (await Promise.all(texts)).some((text) => text.includes(words));
}

it('is ended and booted once more', async () => {
  const catalogue = await readCatalogue(fileURLToPath(new URL('../../../probes', import.meta.url)));
  if (!catalogue.ok) throw new Error(catalogue.error.message);
  await using tracer = new Tracer({ targets: [], probes: catalogue.value, clock: () => Date.now() });
  const runs = chooseStreams({ targetId: '', probes: 'lock-assert', parameters: [] }, tracer.probes());
  if (!runs.ok) throw new Error(runs.error.message);
  const stages: string[] = [];
  const opened = await openGuest(
    tracer,
    catalogue.value,
    {
      ...{
        kernel: '6.1',
        barBytes: 1024 ** 2,
        bpftrace: 'bpftrace',
        targetId: 'hung',
        start: 'cold',
        runs: runs.value,
      },
    },
    ({ stage }) => {
      stages.push(stage);
      const isFirst = stages.filter((one) => one.startsWith('waiting for')).length === 1;
      const target = tracer.findTarget('hung');
      // The kernel's own log is the console; what hangs a kernel at will is not to be had.
      if (stage.startsWith('waiting for') && isFirst && target.ok && target.value instanceof GuestTarget)
        void target.value.guest.machine.agent.writeFile('/dev/kmsg', Buffer.from(`<0>${timerLost}\n`));
    },
    undefined,
  );
  if (!opened.ok) throw new Error(opened.error.message);
  expect(stages.filter((stage) => stage.includes('trying once more'))).toEqual([
    'the guest hung while its probes attached; trying once more',
  ]);
  expect(opened.value.runs.map(({ state }) => state)).toEqual(['running']);
  // Later too: what is traced in it has ended then, with the reason.
  const { target } = opened.value;
  await target.guest.machine.agent.writeFile('/dev/kmsg', Buffer.from(`<0>${hung}\n`));
  expect(await target.died).toMatch(/^the guest's kernel hung: .*soft lockup - CPU#1 stuck for 75s/);
  await until(() => isKept(hung));
  await until(async () => tracer.runs().at(-1)?.state === 'failed');
  expect(tracer.runs().at(-1)?.failure).toMatchObject({ kind: 'target-lost' });
});
