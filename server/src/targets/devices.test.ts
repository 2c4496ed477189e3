import { describe, expect, it } from 'vitest';
import { barsOf } from './devices.ts';

describe('the BARs of a device', () => {
  it('are those of the first six lines that are there', () => {
    // Read in a lab guest: BAR 0 and 1 of pci-testdev, BAR 2 of 64 MiB above 4 GiB.
    const resource = [
      '0x00000000fe800000 0x00000000fe800fff 0x0000000000040200',
      '0x000000000000c000 0x000000000000c0ff 0x0000000000040101',
      '0x0000000100000000 0x0000000103ffffff 0x000000000014220c',
      '0x0000000000000000 0x0000000000000000 0x0000000000000000',
      '0x0000000000000000 0x0000000000000000 0x0000000000000000',
      '0x0000000000000000 0x0000000000000000 0x0000000000000000',
      '0x00000000febe0000 0x00000000febeffff 0x0000000000046200',
      '',
    ].join('\n');
    expect(barsOf(resource)).toEqual([
      { index: 0, physicalAddress: 0xfe800000, bytes: 4096 },
      { index: 1, physicalAddress: 0xc000, bytes: 256 },
      { index: 2, physicalAddress: 0x100000000, bytes: 67_108_864 },
    ]);
  });

  it('are none where the file says nothing of use', () => {
    expect(barsOf('')).toEqual([]);
    expect(barsOf('nonsense\n')).toEqual([]);
  });
});
