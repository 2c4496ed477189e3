import { type ReactNode, useState } from 'react';
import { formatBytes, type LabWorkload } from '@faultline/shared';
import { type LabMachineCard, selectLab } from '../../store/select-lab.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { EmptyState, FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { WorkloadForm } from './workload-form.tsx';
import { WorkloadTable } from './workload-table.tsx';

type BarMib = '64' | '256' | '1024';

/** Sizes that tell something: within a PMD's reach many times over, and a whole PUD. */
const barSizes: readonly { readonly value: BarMib; readonly label: string }[] = [
  { value: '64', label: '64 MiB' },
  { value: '256', label: '256 MiB' },
  { value: '1024', label: '1 GiB' },
];

/** Real kernels in guests: boot one, run a workload in it, watch its fault path. */
export function LabView(): ReactNode {
  const { app } = useStores();
  const { lab, problem, kernels, machines } = useShown(selectLab, 'first');
  const [barMib, setBarMib] = useState<BarMib>('64');
  if (problem !== undefined) {
    return (
      <main className="lab" aria-label="lab">
        <FailedState message={problem.message} remedy={problem.remedy} stderr={undefined}>
          <Button label="Try again" onClick={() => void app.refresh()} />
        </FailedState>
      </main>
    );
  }
  if (lab === undefined) {
    return (
      <main className="lab" aria-label="lab">
        <Skeleton shape="table" what="asking the server for its lab" />
      </main>
    );
  }
  return (
    <main className="lab" aria-label="lab">
      <section className="lab-section">
        <h2>Guests</h2>
        {machines.length === 0 ? <EmptyState why="No guest runs. Boot a kernel below." /> : null}
        {machines.map((card) => (
          <Machine key={card.machine.id} card={card} workloads={lab.workloads} />
        ))}
      </section>
      <section className="lab-section">
        <h2>Kernels</h2>
        <p className="quiet">
          Real Debian kernels in QEMU, with a PCI device behind an IOMMU, bound to vfio-pci.{' '}
          {lab.accelerator === 'kvm'
            ? 'They run with KVM.'
            : `They are emulated (${lab.whyEmulated ?? 'no KVM here'}): counts and ratios carry over, latencies do not. The first boot of a kernel takes about 40 s, later ones 3 s.`}
        </p>
        <div className="lab-size">
          size of the device’s BAR
          <Segmented label="size of the device’s BAR" value={barMib} options={barSizes} onChange={setBarMib} />
        </div>
        <ul className="lab-kernels">
          {kernels.map(({ kernel, command }) => (
            <li key={kernel.name} className="lab-kernel">
              <b>{kernel.name}</b>
              <span>{kernel.title}</span>
              <span className="quiet">{kernel.isCached ? 'downloaded' : 'to be downloaded, about 100 MB'}</span>
              <Button
                icon="play"
                label={`Boot ${kernel.name}`}
                isBusy={command?.kind === 'pending'}
                onClick={() => void app.bootKernel({ kernel: kernel.name, barBytes: Number(barMib) * 1024 ** 2 })}
              />
              {command?.kind === 'failed' ? <span className="trouble">{command.problem.message}</span> : null}
            </li>
          ))}
        </ul>
      </section>
    </main>
  );
}

function Machine({
  card,
  workloads,
}: {
  readonly card: LabMachineCard;
  readonly workloads: readonly LabWorkload[];
}): ReactNode {
  const { app } = useStores();
  const { machine, seconds, rows, isBusy, command } = card;
  const { targetId } = machine;
  return (
    <article className={`lab-machine lab-${machine.state}`}>
      <header>
        <b>{machine.kernel}</b>
        <span className="quiet">{machine.id}</span>
        <span className="quiet">BAR {formatBytes(machine.barBytes)}</span>
        <span role="status">{stateWords(card)}</span>
        <div className="panel-controls">
          {targetId === undefined ? null : (
            <Button
              icon="chart"
              look="strong"
              label="Watch it"
              onClick={() => app.page.set({ page: 'live', view: 'path', target: targetId, process: undefined })}
            />
          )}
          <Button
            icon={machine.state === 'failed' ? 'close' : 'stop'}
            label={machine.state === 'failed' ? 'Remove' : 'Stop'}
            isBusy={command?.kind === 'pending'}
            onClick={() => void app.stopMachine(machine.id)}
          />
        </div>
      </header>
      {machine.state === 'preparing' ? <Progress machine={machine} seconds={seconds} /> : null}
      {machine.problem === undefined ? null : (
        <p className="lab-problem">
          {machine.problem}
          {machine.remedy === undefined ? null : <small> → {machine.remedy}</small>}
        </p>
      )}
      {command?.kind === 'failed' ? <p className="lab-problem">{command.problem.message}</p> : null}
      {machine.state === 'running' ? <WorkloadForm machine={machine} workloads={workloads} isBusy={isBusy} /> : null}
      <WorkloadTable rows={rows} />
    </article>
  );
}

function stateWords({ machine, isBusy }: LabMachineCard): string {
  if (machine.state !== 'running') return machine.state;
  const origin = machine.wasRestored === true ? 'from its snapshot' : 'booted cold';
  return isBusy ? 'running a workload' : `up, ${origin}`;
}

function Progress({
  machine,
  seconds,
}: {
  readonly machine: LabMachineCard['machine'];
  readonly seconds: number;
}): ReactNode {
  const { doneBytes, totalBytes } = machine;
  return (
    <p className="lab-progress">
      <span>{machine.stage}</span> <span className="quiet">{seconds} s</span>
      {totalBytes === undefined || doneBytes === undefined ? null : (
        <>
          {' '}
          <progress value={doneBytes} max={totalBytes} aria-label={machine.stage} /> {formatBytes(doneBytes)} of{' '}
          {formatBytes(totalBytes)}
        </>
      )}
    </p>
  );
}
