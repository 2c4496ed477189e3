/** `faultline lab run` with builds of a module: what a patch that does not fit says, and a kernel that a workload kills. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from './run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'faultline-variants-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command with a store of its own; its exit status and all that it printed. */
async function labRun(words: readonly string[]): Promise<{ readonly status: number; readonly said: string }> {
  const { status, out, err } = await runProgram(['lab', 'run', ...words], { XDG_DATA_HOME: folder });
  return { status, said: `${out}${err}` };
}

function patchOf(name: string, change: string): string {
  const file = join(folder, name);
  writeFileSync(
    file,
    `@change_it@\nidentifier vdev;\n@@\n vfio_pci_mmap_fault(...)\n {\n \t...\n${change} \t...\n }\n`,
  );
  return file;
}

describe('faultline lab run with a patch of one’s own', () => {
  it('says which rule matches nothing', async () => {
    const patch = patchOf('nomatch.cocci', '-\tno_such_call(vdev);\n');
    const { status, said } = await labRun(['6.1', '--module-patch', patch, '--workload', 'touch']);
    expect(said).toContain('the rule change_it of nomatch.cocci matches nothing in vfio_pci_core.c');
    expect(status).toBe(2);
  });

  it('shows what the compiler says', async () => {
    const patch = patchOf('broken.cocci', '-\tmutex_lock(&vdev->vma_lock);\n+\tmutex_lock(&vdev->no_such_lock);\n');
    const { status, said } = await labRun(['6.1', '--module-patch', patch, '--workload', 'touch']);
    expect(said).toMatch(/vfio_pci_core\.c:\d+:\d+: error: .*no member named .no_such_lock/);
    expect(status).toBe(2);
  });

  it('is no lab failure when the workload kills the kernel: which BUG, on which path, and what was counted until then', async () => {
    const words = ['6.1-v1', '--workload', 'futex', '--probes', 'fault-contract,lock-assert'];
    const { status, said } = await labRun(words);
    expect(said).toMatch(
      /futex killed the kernel 6\.1-v1: BUG: kernel NULL pointer dereference, .* in fixup_user_fault/,
    );
    expect(said).toContain('contract findings  lock-dropped-forbidden, vfio_pci_mmap_fault');
    expect(said).toMatch(/^recorded as (lab-6\.1-v1-\w+) \(faultline summary \1\)$/m);
    expect(status).toBe(1);
  });
});
