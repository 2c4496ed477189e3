import type { MapSpec, Stream } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { Exposition } from './exposition.ts';

const spec = (map: string): MapSpec => ({
  map,
  metric: 'attempts',
  title: 'Calls of the fault handler',
  unit: 'count',
  kind: 'count',
  role: 'events',
  key: [{ name: 'order', kind: 'enum', values: { 0: 'pte' } }],
});

describe('the totals of a metric', () => {
  it('stand once, however many maps feed it', () => {
    const exposition = new Exposition();
    exposition.addRun({
      labels: { target: 'host' },
      probe: 'vfio-fault',
      stream: { name: 'faults', maps: [spec('@attempts'), spec('@calls')] } as Partial<Stream> as Stream,
      cells: [{ cell: 0, metric: 'attempts', dims: { order: 'pte' } }],
      totals: [5],
      ledger: {} as never,
    });
    const lines = [...exposition.text()].join('').split('\n');
    expect(lines.filter((line) => line.startsWith('faultline_vfio_fault_attempts_total'))).toEqual([
      'faultline_vfio_fault_attempts_total{target="host",stream="faults",order="pte"} 5',
    ]);
  });
});
