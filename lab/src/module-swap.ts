/** Another build of vfio_pci_core in a guest that runs: in a second, where a boot takes ten. */
import { constants } from 'node:os';
import { err, ok, type Result, targetCommandMaxMs } from '@faultline/shared';
import type { AgentLink } from './agent-link.ts';
import type { LabError } from './lab-error.ts';
import { deviceBdf } from './machine.ts';
import { within } from './within.ts';

/**
 * Takes the module out and puts this one (the bytes of a .ko) in its place; the device is bound again. Nothing may use the device, and no fentry may
 * be attached to the module. Kprobes in it end silently: what was attached has to be attached again. Error: the guest
 * refused, with what it said, or did not end within targetCommandMaxMs.
 */
export async function swapModule(agent: AgentLink, module: Uint8Array): Promise<Result<void, LabError>> {
  const path = '/run/modules/vfio_pci_core.ko';
  const written = await agent.writeFile(path, module);
  if (!written.ok) return err(refused('the guest took no file'));
  const process = agent.start({ program: 'swap-module', args: [path, deviceBdf], env: {} }, 'attached');
  let said = '';
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const exit = await within(process.exited, targetCommandMaxMs, undefined);
  if (exit === undefined) {
    process.signal(constants.signals.SIGKILL);
    process.release();
    const words = said.trim();
    return err(refused(`it was not done within ${targetCommandMaxMs / 1000} s${words === '' ? '' : `: ${words}`}`));
  }
  if (exit.kind === 'exited' && exit.code === 0) return ok(undefined);
  return err(refused(exit.kind === 'lost' ? exit.reason : said.trim()));
}

function refused(why: string): LabError {
  return {
    kind: 'broken',
    message: `the module could not be swapped: ${why}`,
    remedy: 'End what uses the device or the module, or boot a guest with it.',
  };
}
