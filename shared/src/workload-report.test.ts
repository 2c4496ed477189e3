import { describe, expect, it } from 'vitest';
import { eraOfVariant } from './era.ts';
import { expectedFaults, readEdgeReport, readWorkloadReport, type WorkloadReport } from './workload-report.ts';

const line =
  '{"mode": "touch", "isDone": true, "repetition": 2, "bytes": 67108864, "pages": 16384, "isAligned": true, "barMaps": 2, "populations": 2, "pagesTouched": 32768, "dmaMaps": 0, "zaps": 0, "resets": 0, "fileMaps": 0, "anonPages": 0, "elapsedNs": 98000000}';

function report(differences: Partial<WorkloadReport> = {}): WorkloadReport {
  const read = readWorkloadReport(line);
  if (read === undefined) throw new Error('the line is a report');
  return { ...read, ...differences };
}

describe('a line of a workload', () => {
  it('is a report when it has all figures, and a message otherwise', () => {
    expect(report()).toMatchObject({ mode: 'touch', populations: 2, elapsedNs: 98_000_000 });
    const edge =
      '{"mode":"race","isDone":true,"repetitions":3,"maps":4,"futexes":0,"reads":9,"busErrors":1,"killed":0,"elapsedNs":5}';
    expect(readEdgeReport(edge)).toMatchObject({ mode: 'race', maps: 4, reads: 9, busErrors: 1 });
    expect(readWorkloadReport(edge)).toBe(undefined);
    expect(readEdgeReport('{"mode":"race"}')).toBe(undefined);
    expect(readWorkloadReport('vfio-load: mmap of BAR 2: Device or resource busy (errno 16)')).toBe(undefined);
    expect(readWorkloadReport('{"mode": "touch"}')).toBe(undefined);
    expect(readWorkloadReport(line.replace('67108864', '-1'))).toBe(undefined);
    expect(readWorkloadReport('null')).toBe(undefined);
  });
});

describe('the faults it must have taken', () => {
  it('are one each time a BAR is filled where the whole VMA is remapped', () => {
    expect(expectedFaults(report(), 'a')).toBe(2);
    expect(expectedFaults(report({ isAligned: false }), 'a')).toBe(2);
  });

  it('are one for each piece that fits where as much as fits is inserted', () => {
    expect(expectedFaults(report(), 'd')).toBe(64);
    expect(expectedFaults(report({ isAligned: false }), 'd')).toBe(32_768);
    expect(expectedFaults(report({ bytes: 3 * 1024 ** 3 + 5 * 1024 ** 2, populations: 1 }), 'd')).toBe(3 + 2 + 256);
  });

  it('are none where the BAR is mapped through a file, and unknown where nobody can say', () => {
    expect(expectedFaults(report({ fileMaps: 1, populations: 0 }), undefined)).toBe(0);
    expect(expectedFaults(report(), 'bc')).toBe(undefined);
    expect(expectedFaults(report(), undefined)).toBe(undefined);
    expect(expectedFaults(report({ mode: 'contention' }), 'a')).toBe(undefined);
  });

  it('follow from the era that the variant is named after', () => {
    expect(['era-a-kprobe', 'era-bc-kprobe', 'era-d-helper', 'kprobe', undefined].map(eraOfVariant)).toEqual([
      'a',
      'bc',
      'd',
      undefined,
      undefined,
    ]);
  });
});
