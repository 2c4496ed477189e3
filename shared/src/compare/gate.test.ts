import { describe, expect, it } from 'vitest';
import { compareSides } from './comparison.ts';
import { type MadeUp, madeUpRun } from './fixtures/made-up-run.ts';
import { type GateFinding, gate, isBlocked } from './gate.ts';
import { comparedRun } from './run.ts';

function between(baseline: MadeUp, candidate: MadeUp): readonly GateFinding[] {
  return gate([comparedRun(madeUpRun(baseline))], [comparedRun(madeUpRun({ build: '6.12', ...candidate }))]);
}

function blockingNames(baseline: MadeUp, candidate: MadeUp): readonly string[] {
  return between(baseline, candidate)
    .filter(({ level }) => level === 'blocking')
    .map(({ name }) => name);
}

describe('the gate', () => {
  it('is open for two runs of the same under the same conditions, and says that guests were emulated', () => {
    expect(between({}, {}).map(({ name, level }) => [name, level])).toEqual([['emulation', 'note']]);
    expect(isBlocked(between({}, {}))).toBe(false);
  });

  it.each<[string, MadeUp]>([
    ['bar-size', { barBytes: 128 * 1024 ** 2 }],
    ['thp', { identity: { thpMode: 'never' } }],
    ['bpftrace', { identity: { bpftraceVersion: '0.23.2' } }],
    ['cpus', { identity: { cpuCount: 4 } }],
    ['page-size', { identity: { pageBytes: 65_536 } }],
    ['accelerator', { source: { accelerator: 'kvm' } }],
    ['loss', { isComplete: false }],
    ['workload', { source: { work: { name: 'dma-map', arguments: [] } } }],
    ['workload', { source: { work: undefined } }],
    ['alignment', { source: { work: { ...madeUpRun().work, name: 'touch', arguments: [], isMisaligned: true } } }],
    ['streams', { source: { streams: madeUpRun().streams.slice(0, 1) } }],
  ])('is shut by another %s', (name, candidate) => {
    expect(blockingNames({}, candidate)).toContain(name);
    expect(blockingNames(candidate, {})).toContain(name);
  });

  it('names what differs and both values', () => {
    const found = between({}, { barBytes: 128 * 1024 ** 2 });
    expect(found[0]?.message).toBe('size of the BAR differs: 64 MiB against 128 MiB');
    expect(found.map(({ name }) => name)).not.toContain('arguments');
  });

  it('says which run lost what', () => {
    expect(between({}, { isComplete: false })[0]?.message).toBe(
      '6.12-1 of the candidate is incomplete: vfio-fault:faults (a map is full)',
    );
  });

  it('is not shut by another era, which it tells, nor by what nobody wrote down', () => {
    const found = between({}, { era: 'd', source: { device: '0000:01:00.0' } });
    expect(isBlocked(found)).toBe(false);
    expect(found.map(({ message }) => message)).toContain('era of the fault handler differs: A against D');
    expect(found.map(({ message }) => message)).toContain(
      'address of the device differs: not known against 0000:01:00.0',
    );
  });

  it('says of runs without a workload on both sides that the load must have been the same', () => {
    const unnamed = { source: { work: undefined } };
    const found = between(unnamed, unnamed);
    expect(isBlocked(found)).toBe(false);
    expect(found.map(({ name, level }) => [name, level])).toEqual([
      ['workload', 'note'],
      ['emulation', 'note'],
    ]);
    expect(found[0]?.message).toMatch(/^neither side is a run of one known workload: .* where the load was the same$/);
  });

  it('tells machines apart by their names', () => {
    const found = between({ identity: { hostname: 'alpha' } }, { identity: { hostname: 'beta' } });
    expect(isBlocked(found)).toBe(false);
    expect(found.map(({ message }) => message)).toContain('machine differs: alpha against beta');
  });

  it('says a reason once: what an unknown workload was not given, and parameters of what only one side traces, are none', () => {
    const found = between({ source: { work: undefined, streams: madeUpRun().streams.slice(0, 1) } }, {});
    expect(found.map(({ name, level }) => [name, level])).toEqual([
      ['workload', 'blocking'],
      ['streams', 'blocking'],
      ['emulation', 'note'],
    ]);
  });

  it('tells options of the config that differ', () => {
    const found = between({}, { identity: { config: { CONFIG_LOCKDEP: 'y' } } });
    expect(found.map(({ message }) => message)).toContain('kernel configs differ: CONFIG_LOCKDEP n against y');
  });

  it('is shut where one side mixes builds, and where it has no run', () => {
    const [one, other] = ['6.1', '6.12'].map((build) => comparedRun(madeUpRun({ build })));
    if (one === undefined || other === undefined) throw new Error('two runs');
    expect(gate([one, other], [other])[0]?.message).toBe('runs of the baseline differ in build: 6.1, 6.12');
    expect(gate([], [one])[0]?.message).toBe('the baseline has no run');
  });

  it('lets no verdict through when it is shut, not even of a violation', () => {
    const baseline = { title: 'a', runs: [comparedRun(madeUpRun())] };
    const candidate = { title: 'b', runs: [comparedRun(madeUpRun({ violations: 2, identity: { cpuCount: 4 } }))] };
    const [found] = compareSides(baseline, [candidate]).candidates;
    expect(found?.verdict).toBe('not-comparable');
    expect(found?.sentence).toBe('b against a: not comparable, since number of CPUs differs: 2 against 4.');
    expect(new Set(found?.metrics.map(({ verdict }) => verdict))).toEqual(new Set(['not-comparable']));
  });
});
