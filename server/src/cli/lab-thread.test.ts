import { describe, expect, it } from 'vitest';
import type { ThreadRow } from '../lab/thread-figures.ts';
import { threadVariants, threadWorkloads } from '../lab/thread-plan.ts';
import { comparisonsOf } from './lab-thread.ts';
import { threadTable } from './lab-thread-table.ts';
import { type Request, readCommandLine } from './program.ts';

function read(line: string): { readonly request: Request; readonly err: string } {
  let err = '';
  const terminal = { out: () => undefined, err: (text: string) => void (err += text) };
  return { request: readCommandLine(line.split(' '), {}, terminal, '1'), err };
}

type Given = Partial<Record<keyof ThreadRow['figures'], number>>;

function row(name: string, figures: Given = {}, more: Partial<ThreadRow> = {}): ThreadRow {
  const [variant, workload] = name.split(' ');
  const one = (key: keyof ThreadRow['figures']) => {
    const value = figures[key];
    return value === undefined ? undefined : { min: value, median: value, max: value };
  };
  return {
    variant: threadVariants.find((word) => word === variant) ?? 'v0',
    workload: threadWorkloads.find((word) => word === workload) ?? 'touch',
    kernel: `6.1-${variant}`,
    series: `thread-${workload}-${variant}`,
    build: `6.1, vfio-pci-core with ${variant}.cocci ef4ee5af`,
    sessions: ['one'],
    figures: {
      faults: one('faults'),
      inserts: one('inserts'),
      remaps: one('remaps'),
      pagesMapped: one('pagesMapped'),
      faultTimeNs: one('faultTimeNs'),
      violations: one('violations'),
      tracedNs: one('tracedNs'),
      untracedNs: one('untracedNs'),
    },
    ...{ findings: {}, oopses: [], oopsCount: 0, problems: [], incomplete: [] },
    streams: ['vfio-fault:faults', 'lock-assert:checks'],
    ...more,
  };
}

const times = { faultTimeNs: 2_125_000, untracedNs: 69_400_000, tracedNs: 1_234_000_000 };
const counts = { faults: 16_384, inserts: 16_384, remaps: 0, pagesMapped: 16_384, violations: 16_384 };
const bug = 'kernel BUG at mm/memory.c:2436! in remap_pfn_range_internal (from remap_pfn_range, vfio_pci_mmap_fault)';
const rows = [
  row('v0 touch', { ...times, faults: 1, inserts: 0, remaps: 1, pagesMapped: 16_384, violations: 1 }),
  row('v0 race'),
  row('v1 touch', { ...times, ...counts }, { findings: { 'lock-dropped': 3 }, incomplete: ['6.1-v1-abc'] }),
  row('v1 race', {}, { findings: { 'lock-dropped': 40, 'vma-freed': 7 }, oopses: [bug], oopsCount: 3 }),
  row('v4 touch', { faults: 0, remaps: 1, violations: 0 }, { streams: ['lock-assert:checks'] }),
  row('v4 race', {}, { sessions: [], streams: [] }),
];

describe('the table of the thread', () => {
  const lines = threadTable(rows, { identity: undefined, accelerator: 'tcg' }).split('\n');

  it('keeps to 72 columns, whatever it holds', () => {
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(72);
  });

  it('says which patch each build is, by its digest', () => {
    const words = lines.join(' ').replaceAll(/ +/g, ' ');
    expect(words).toContain('v1 the patch: drop the read lock, take the write lock [v1.cocci ef4ee5af]');
  });

  it('has a line a build with what was counted, what it took, and a dash where nothing could be traced', () => {
    const at = lines.findIndex((line) => line.startsWith('touch of 64 MiB'));
    expect(lines.slice(at + 2, at + 6).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['faults', 'inserts', 'pages', 'in faults', 'untraced', 'traced', 'violations'],
      ['v0', '1', '1 remap', '16,384', '2.13 ms', '69.4 ms', '1.23 s', '1'],
      ['v1', '16,384', '16,384', '16,384', '2.13 ms', '69.4 ms', '1.23 s', '16,384'],
      ['v4', '0', '1 remap', '–', '–', '–', '–', '0'],
    ]);
  });

  it('says which workload gave findings, which killed the kernel, and which was not run', () => {
    const at = lines.findIndex((line) => line.startsWith('contract findings'));
    expect(lines.slice(at + 2, at + 6).map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['touch', 'race'],
      ['v0', '–', '–'],
      ['v1', '3', '47 OOPS'],
      ['v4', '–', 'not run'],
    ]);
  });

  it('names each finding, the BUG with its path, and what is incomplete', () => {
    const notes = lines.slice(lines.findIndex((line) => /^v4 .*not run/.test(line)) + 1).join(' ');
    const words = notes.replaceAll(/ +/g, ' ').trim();
    expect(words).toBe(
      'v1 touch lock-dropped 3 6.1-v1-abc is incomplete: something was lost ' +
        `v1 race ≤3,000 lock-dropped 40, vma-freed 7 ${bug}`,
    );
  });

  it('leaves out tables of what was not asked for', () => {
    const text = threadTable([row('v0 zap')], { identity: undefined, accelerator: undefined });
    expect(text).not.toContain('touch');
    expect(text).toContain('zap');
  });
});

describe('the comparisons of the thread', () => {
  it('set the first build that was run against all others', () => {
    const [only, ...others] = comparisonsOf(rows, undefined);
    expect(others).toEqual([]);
    expect(only).toEqual({
      workload: 'touch',
      command:
        'faultline compare build:6.1-v0,series:thread-touch-v0 -- build:6.1-v1,series:thread-touch-v1 ' +
        '-- build:6.1-v4,series:thread-touch-v4',
      page:
        'http://127.0.0.1:7766/?page=compare&baseline=build%3A6.1-v0%2Cseries%3Athread-touch-v0' +
        '&candidate=build%3A6.1-v1%2Cseries%3Athread-touch-v1&candidate=build%3A6.1-v4%2Cseries%3Athread-touch-v4',
    });
    expect(comparisonsOf(rows.slice(0, 1), undefined)).toEqual([]);
    expect(comparisonsOf(rows, '/tmp/my runs')[0]?.command).toMatch(
      /^faultline compare --store '\/tmp\/my runs' build:6\.1-v0,/,
    );
  });
});

describe('lab thread', () => {
  it('runs everything three times unless told otherwise', () => {
    expect(read('lab thread --store /s').request).toMatchObject({
      kind: 'lab-thread',
      store: { folder: '/s' },
      words: { variants: threadVariants, workloads: threadWorkloads, runCount: 3, isJson: false, output: '-' },
    });
  });

  it('takes selections in the order of the table, and a file', () => {
    const line = 'lab thread --variants v2,v0 --workloads kill,touch --runs 1 --json --cold -o /tmp/t.txt';
    expect(read(line).request).toMatchObject({
      words: {
        variants: ['v0', 'v2'],
        workloads: ['touch', 'kill'],
        runCount: 1,
        isJson: true,
        start: 'cold',
        output: '/tmp/t.txt',
      },
    });
  });

  it.each([
    ['--variants v9', 'no "v9"'],
    ['--workloads touch,dance', 'no "dance"'],
    ['--runs 0', 'number of times'],
    ['--runs 1001', 'too many'],
  ])('refuses %s', (words, why) => {
    const { request, err } = read(`lab thread ${words}`);
    expect(request).toEqual({ kind: 'said', status: 2 });
    expect(err).toContain(why);
  });
});
