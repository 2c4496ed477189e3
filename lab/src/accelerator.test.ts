import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tryKvm } from './accelerator.ts';

async function withQemu(script: string, test: (device: string, qemu: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'faultline-kvm-'));
  try {
    const [device, qemu] = [join(folder, 'kvm'), join(folder, 'qemu')];
    await writeFile(device, '');
    await writeFile(qemu, `#!/bin/sh\n${script}\n`);
    await chmod(qemu, 0o755);
    await test(device, qemu);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

describe('which accelerator', () => {
  it('emulates where there is no KVM, and says so', async () => {
    expect(await tryKvm('/nowhere/kvm')).toEqual({ accelerator: 'tcg', whyEmulated: 'there is no /nowhere/kvm' });
  });

  it('takes KVM when QEMU starts with it and quits when told', async () => {
    await withQemu('read word; test "$word" = quit', async (device, qemu) => {
      expect(await tryKvm(device, qemu)).toEqual({ accelerator: 'kvm' });
    });
  });

  it('emulates where QEMU aborts with KVM, and says what QEMU said', async () => {
    const script = 'echo "warning: odd" >&2; echo "error: failed to set MSR 0x10a to 0x69" >&2; kill -ABRT $$';
    await withQemu(script, async (device, qemu) => {
      const choice = await tryKvm(device, qemu);
      expect(choice.accelerator).toBe('tcg');
      expect(choice).toHaveProperty('whyEmulated', expect.stringMatching(/failed to set MSR 0x10a/));
    });
  });

  it('emulates where QEMU is missing: the boot will say that', async () => {
    await withQemu('', async (device) => {
      expect((await tryKvm(device, '/nowhere/qemu')).accelerator).toBe('tcg');
    });
  });
});
