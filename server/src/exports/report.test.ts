import type { ProbeManifest, RecordSummary, RunSummary } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { fakeLedger, fakeRun } from '../../test/fakes/fake-session.ts';
import { fakeProbes } from '../../test/fakes/fake-tracing.ts';
import { describeRecording } from './report.ts';

const base = { role: 'figure', title: 'A figure' } as const;
const modes = { '0': 'mmap-read', '1': 'mmap-write' };
const probes: readonly ProbeManifest[] = fakeProbes.map((probe) => ({
  ...probe,
  streams: probe.streams.map((stream) => ({
    ...stream,
    maps: [
      {
        ...base,
        map: '@acquisitions',
        metric: 'acquisitions',
        unit: 'count',
        kind: 'count',
        role: 'events',
        key: [
          { name: 'mode', kind: 'enum', values: modes },
          { name: 'comm', kind: 'text' },
        ],
      },
      // A second map that feeds it on other kernels.
      {
        ...base,
        map: '@acquisitions_by_mode',
        metric: 'acquisitions',
        unit: 'count',
        kind: 'count',
        role: 'events',
        key: [],
      },
      { ...base, map: '@wait', metric: 'wait', unit: 'ns', kind: 'buckets', key: [{ name: 'bucket', kind: 'bucket' }] },
      {
        ...base,
        map: '@wait_total',
        metric: 'waitTotal',
        unit: 'ns',
        kind: 'sum',
        key: [{ name: 'comm', kind: 'text' }],
      },
      { ...base, map: '@unpaired', metric: 'unpaired', unit: 'count', kind: 'count', role: 'unpaired', key: [] },
    ],
  })),
}));

function acquisitions(mode: string, comm: string, value: number): RunSummary['totals'][number] {
  return { metric: 'acquisitions', unit: 'count', kind: 'count', dims: { mode, comm }, value };
}

function recording(run: Partial<RunSummary['run']>, differences: Partial<RunSummary> = {}): RecordSummary {
  const summary: RunSummary = {
    run: fakeRun(0, { state: 'stopped', parameters: { pid: 0 }, ...run }),
    durationNs: 10_000_000_000,
    totals: [
      acquisitions('mmap-read', 'cat', 1_000_000),
      acquisitions('mmap-write', 'cat', 20),
      acquisitions('mmap-write', 'make', 500),
      { metric: 'waitTotal', unit: 'ns', kind: 'sum', dims: { comm: 'cat' }, value: 2_500_000 },
      { metric: 'unpaired', unit: 'count', kind: 'count', dims: {}, value: 2 },
    ],
    distributions: [
      {
        metric: 'wait',
        dims: { mode: 'mmap-read' },
        count: 1_000_000,
        p50: 688,
        p90: 720,
        p99: 848,
        p999: 2_016,
        max: 9_437_183,
      },
      { metric: 'wait', dims: { mode: 'mmap-write' }, count: 0 },
    ],
    ...differences,
  };
  return {
    faultline: '1.2.3',
    target: { id: 'host', kind: 'host' },
    startedAtMs: 0,
    isComplete: summary.run.isComplete,
    ledger: summary.run.ledger,
    runs: [summary],
  };
}

const ledger = fakeLedger({ seenCount: 1_000_522, recordedCount: 1_000_520, unpairedCount: 2 });

describe('a report', () => {
  it('says what, how long, who, and that nothing was lost', () => {
    expect(describeRecording(recording({ ledger }), probes, 80)).toEqual([
      'Faultline 1.2.3 · host',
      '',
      'mmap-lock:counts · tracepoint · 10.0 s traced · stopped',
      '',
      '  figure        of                 total    rate',
      '  acquisitions  mmap-read      1,000,000  100k/s',
      '  acquisitions  mmap-write           520    52/s',
      '  wait total                2,500,000 ns',
      '',
      '  distribution  of              count     p50     p90     p99    p99.9      max',
      '  wait          mmap-read   1,000,000  688 ns  720 ns  848 ns  2.02 µs  9.44 ms',
      '  wait          mmap-write          0       –       –       –        –        –',
      '',
      '  process  acquisitions  mmap-read  mmap-write  wait total',
      '  cat                1M         1M          20      2.5 ms',
      '  make              500          0         500           –',
      '',
      '  ledger  seen 1,000,522 · recorded 1,000,520 · lost 0 · missing 0 ·',
      '  malformed 0 · dropped 0 · unpaired 2',
      '',
      'Complete: nothing was lost, dropped or malformed.',
    ]);
  });

  it('says what was lost and what that means', () => {
    const finding = {
      code: 'events-lost',
      level: 'lossy',
      message: 'the buffer overflowed',
      atMs: 0,
      count: 1_200,
    } as const;
    const lines = describeRecording(recording({ ledger, isComplete: false, findings: [finding] }), probes, 80);
    expect(lines).toContain('  lossy: the buffer overflowed (1,200 times)');
    expect(lines).toContain('  what that means: Counts stay exact.');
    expect(lines.at(-1)).toBe('INCOMPLETE: the figures above lack what the ledger says was lost.');
  });

  it('says how a run failed and with which parameters it ran', () => {
    const failure = { kind: 'killed', message: 'bpftrace was killed', remedy: 'Start it again.' } as const;
    const lines = describeRecording(recording({ state: 'failed', failure, parameters: { pid: 7 } }), probes, 80);
    expect(lines.slice(2, 5)).toEqual([
      'mmap-lock:counts · tracepoint · pid=7 · 10.0 s traced · failed',
      '  FAILED: bpftrace was killed',
      '  → Start it again.',
    ]);
    expect(lines.at(-1)).toBe('FAILED: 1 of 1 streams did not trace to the end.');
  });

  it('lists ten processes and counts the others', () => {
    const totals = Array.from({ length: 13 }, (_, at) => acquisitions('mmap-read', `p${at}`, 100 - at));
    const lines = describeRecording(recording({}, { totals, distributions: [] }), probes, 80);
    expect(lines.filter((line) => /^ {2}p\d/.test(line)).map((line) => line.trim().split(/ +/)[0])).toEqual(
      Array.from({ length: 10 }, (_, at) => `p${at}`),
    );
    expect(lines).toContain('  … and 3 more processes');
  });

  it('counts one other process as one, and says nothing of each that is known of all together only', () => {
    const totals = Array.from({ length: 11 }, (_, at) => acquisitions('mmap-read', `p${at}`, 100 - at));
    const together = { metric: 'waitTotal', unit: 'ns', kind: 'sum', dims: {}, value: 2_500_000 } as const;
    const lines = describeRecording(recording({}, { totals: [...totals, together], distributions: [] }), probes, 80);
    expect(lines).toContain('  … and 1 more process');
    expect(lines).toContain('  process  acquisitions');
  });

  it('has no empty tables where nothing happened', () => {
    const lines = describeRecording(recording({}, { totals: [], distributions: [], durationNs: 0 }), probes, 80);
    expect(
      lines.filter((line) => line.startsWith('  ') && !line.startsWith('  ledger') && !line.includes('dropped')),
    ).toEqual([]);
  });

  it('marks a replay unmistakably', () => {
    const summary = { ...recording({}), target: { id: 'replay', kind: 'replay' } };
    expect(describeRecording(summary, probes, 80)[0]).toBe('Faultline 1.2.3 · REPLAY of a recorded sample · replay');
  });
});
