import { err, ok, type Plan, type Preflight } from '@faultline/shared';
import { expect, it, describe } from 'vitest';
import { doctor } from '../src/cli/doctor.ts';
import { FakeTracing, goodPreflight } from './fakes/fake-tracing.ts';
import { fakeTerminal } from './fakes/fake-terminal.ts';

const plans: readonly Plan[] = [
  {
    probe: 'mmap-lock',
    stream: 'counts',
    chosen: 'tracepoint',
    variants: [{ name: 'tracepoint', attach: 'tracepoint', fits: true, reasons: [] }],
  },
  {
    probe: 'mmap-lock',
    stream: 'slow',
    variants: [
      {
        name: 'fentry',
        attach: 'fentry',
        fits: false,
        reasons: ['this kernel has no BTF', 'bpftrace 0.17 is too old: 0.20'],
      },
      { name: 'kprobe', attach: 'kprobe', fits: false, reasons: ['kprobes are not built into this kernel'] },
    ],
  },
];

const badPreflight: Preflight = {
  targetId: 'host',
  canTrace: false,
  checks: [
    {
      name: 'root',
      title: 'Permission to trace',
      status: 'failed',
      found: 'running as user 1000 without capabilities',
      remedy: 'Run Faultline as root, or let it run bpftrace through sudo',
      command: 'faultline serve --bpftrace-prefix "sudo -n"',
    },
    { name: 'bpftrace', title: 'bpftrace', status: 'ok', found: '0.17.0 at /usr/bin/bpftrace' },
    { name: 'lockdown', title: 'Kernel lockdown', status: 'unknown', found: '/sys/kernel/security may not be read' },
    {
      name: 'clock',
      title: 'Clock',
      status: 'warning',
      found: 'clock source hpet',
      remedy: 'Expect a higher cost an event.',
    },
  ],
};

async function run(tracing: FakeTracing, request = { targetId: 'host', isJson: false }) {
  const terminal = fakeTerminal();
  const status = await doctor(tracing, request, terminal);
  return { status, ...terminal.printed };
}

describe('doctor', () => {
  it('is content where all is well, though a stream that nobody runs by default cannot', async () => {
    const tracing = new FakeTracing();
    tracing.plansAnswer = ok(plans);
    const { status, out } = await run(tracing);
    expect(status).toBe(0);
    expect(out).toBe(
      [
        'this machine · testbox · 6.18.0-test · x86_64, 2 CPUs',
        '',
        'status  check                found',
        'ok      Permission to trace  running as root',
        'ok      bpftrace             bpftrace 0.17.0 at /usr/bin/bpftrace',
        '',
        'stream            runs as     why not the others',
        'mmap-lock:counts  tracepoint',
        'mmap-lock:slow    cannot run  fentry: this kernel has no BTF; bpftrace 0.17 is',
        '                              too old: 0.20',
        '                              kprobe: kprobes are not built into this kernel',
        '',
        'All good: tracing works here.',
        '',
      ].join('\n'),
    );
  });

  it('says what failed and what to do, in 80 columns', async () => {
    const tracing = new FakeTracing();
    tracing.preflightAnswer = ok(badPreflight);
    const { status, out } = await run(tracing);
    expect(status).toBe(1);
    expect(out.split('\n').slice(2, 13)).toEqual([
      'status   check                found',
      'FAILED   Permission to trace  running as user 1000 without capabilities',
      '                              → Run Faultline as root, or let it run bpftrace',
      '                              through sudo',
      '                              $ faultline serve --bpftrace-prefix "sudo -n"',
      'ok       bpftrace             0.17.0 at /usr/bin/bpftrace',
      'unknown  Kernel lockdown      /sys/kernel/security may not be read',
      'warning  Clock                clock source hpet',
      '                              → Expect a higher cost an event.',
      '',
      'stream  runs as  why not the others',
    ]);
    expect(out).toContain('Tracing cannot work here; failed: Permission to trace. What to do is said above.\n');
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is not content when a stream that runs by default cannot', async () => {
    const tracing = new FakeTracing();
    tracing.plansAnswer = ok(
      plans.map((plan) => ({ probe: plan.probe, stream: plan.stream, variants: plan.variants })),
    );
    expect(await run(tracing)).toMatchObject({ status: 1, out: expect.stringContaining('but not all of it') });
  });

  it('prints the same as JSON', async () => {
    const tracing = new FakeTracing();
    tracing.plansAnswer = ok(plans);
    const { status, out, err: errors } = await run(tracing, { targetId: 'host', isJson: true });
    expect([status, errors]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ isWell: true, preflight: goodPreflight, plans, target: { id: 'host' } });
  });

  it('names the targets where the one asked for is not there', async () => {
    expect(await run(new FakeTracing(), { targetId: 'mars', isJson: false })).toEqual({
      status: 2,
      out: '',
      err: 'faultline: There is no target mars.\n  GET /api/v1/targets.\n',
    });
    const tracing = new FakeTracing();
    tracing.plansAnswer = err({ kind: 'target-problem', message: 'the target does not answer', remedy: 'Wake it.' });
    expect(await run(tracing)).toMatchObject({ status: 1, err: 'faultline: the target does not answer\n  Wake it.\n' });
  });
});
