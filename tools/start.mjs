// Prepares this machine to serve: the workspace, bpftrace, tracefs, the page. Runs on plain Node 20 with nothing
// installed, and does nothing at all the second time. bin/start goes on with the server.
import { existsSync } from 'node:fs';
import { say } from './bootstrap/run.mjs';
import { preparePage } from './bootstrap/page.mjs';
import { bpftracePackage, labPackages, preparePackages, prepareTracefs } from './bootstrap/system.mjs';
import { prepareWorkspace } from './bootstrap/workspace.mjs';

const isReplay = process.argv.slice(2).some((argument) => argument.startsWith('--replay'));

async function main() {
  const problem = await prepareWorkspace();
  if (problem !== undefined) return problem;
  if (process.platform === 'linux' && !isReplay) {
    // A kernel that has vfio-pci traces itself; elsewhere the page offers the lab, which needs QEMU.
    const needsLab = !existsSync('/sys/module/vfio_pci');
    await preparePackages(needsLab ? [bpftracePackage, ...labPackages] : [bpftracePackage]);
    await prepareTracefs();
  }
  return preparePage();
}

const problem = await main();
if (problem !== undefined) {
  say(problem);
  process.exitCode = 1;
}
