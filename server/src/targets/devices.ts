/** PCI devices of a target that are bound to vfio-pci, and their BARs, read from sysfs. */
import { err, ok, type Result, targetDevicesMax, type VfioDevice } from '@faultline/shared';
import { ask } from './command.ts';
import { readText, type Target, type TargetError } from './target.ts';

const driverFolder = '/sys/bus/pci/drivers/vfio-pci';
const bdfPattern = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;

/** All of them, by address; none where vfio-pci is not loaded. */
export async function readVfioDevices(target: Target): Promise<Result<readonly VfioDevice[], TargetError>> {
  const isLoaded = await target.exists(driverFolder);
  if (!isLoaded.ok) return isLoaded;
  if (!isLoaded.value) return ok([]);
  const listed = await ask(target, { program: 'ls', args: ['-1', driverFolder], env: {} });
  if (!listed.ok) return listed;
  if (listed.value.code !== 0)
    return err({ kind: 'failed', message: `${driverFolder}: ${listed.value.stderr.trim()}` });
  const addresses = listed.value.stdout.split('\n').filter((name) => bdfPattern.test(name));
  const devices: VfioDevice[] = [];
  for (const bdf of addresses.slice(0, targetDevicesMax)) {
    const resource = await readText(target, `/sys/bus/pci/devices/${bdf}/resource`);
    if (resource.ok) devices.push({ bdf, bars: barsOf(resource.value) });
  }
  return ok(devices);
}

/** The first six lines of a resource file: start, end and flags in hex; a BAR that is not there is all zeros. */
export function barsOf(resource: string): VfioDevice['bars'] {
  return resource
    .split('\n')
    .slice(0, 6)
    .flatMap((line, index) => {
      const [start, end] = line.split(' ').map(Number);
      if (start === undefined || end === undefined || !(end > start)) return [];
      return [{ index, physicalAddress: start, bytes: end - start + 1 }];
    });
}
