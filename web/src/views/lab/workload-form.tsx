import { type ReactNode, useState } from 'react';
import type { LabMachine, LabWorkload } from '@faultline/shared';
import { firstChoice, readChoice, requestOf, sizesOf, type WorkloadChoice } from '../../store/select-workloads.ts';
import { useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { NumberField } from '../../widgets/number-field.tsx';
import { Segmented } from '../../widgets/segmented.tsx';

type Props = {
  readonly machine: LabMachine;
  readonly workloads: readonly LabWorkload[];
  /** One runs already: its device can be used by one program at a time. */
  readonly isBusy: boolean;
};

const alignments = [
  { value: 'aligned', label: 'aligned' },
  { value: 'misaligned', label: 'misaligned' },
] as const;

/** How a workload shall run, and a button for each. */
export function WorkloadForm({ machine, workloads, isBusy }: Props): ReactNode {
  const { app } = useStores();
  const [choice, setChoice] = useState<WorkloadChoice>(firstChoice);
  const fields = readChoice(choice);
  const change = (part: Partial<WorkloadChoice>): void => setChoice({ ...choice, ...part });
  return (
    <div role="group" aria-label={`workloads for ${machine.kernel}`}>
      <div className="lab-options">
        <Segmented
          label="how much of the BAR"
          value={choice.sizeBytes}
          options={sizesOf(machine.barBytes)}
          onChange={(sizeBytes) => change({ sizeBytes })}
        />
        <Segmented
          label="how it is mapped"
          value={choice.alignment}
          options={alignments}
          onChange={(alignment) => change({ alignment })}
        />
        <NumberField
          label="repetitions"
          typed={choice.repetitions}
          placeholder="1"
          note={fields.repetitions.isValid ? '' : fields.repetitions.why}
          isValid={fields.repetitions.isValid}
          onType={(repetitions) => change({ repetitions })}
        />
        <NumberField
          label="threads of contention"
          hint="so many that map the BAR, and as many with anonymous faults"
          typed={choice.threads}
          placeholder="2"
          note={fields.threads.isValid ? '' : fields.threads.why}
          isValid={fields.threads.isValid}
          onType={(threads) => change({ threads })}
        />
      </div>
      <div className="lab-workloads">
        {workloads.map((workload) => {
          const request = requestOf(workload, choice);
          return (
            <Button
              key={workload.name}
              icon="play"
              label={workload.name}
              hint={hintOf(workload, choice)}
              isBusy={isBusy || request === undefined}
              onClick={() => (request === undefined ? undefined : void app.runWorkload(machine.id, request))}
            />
          );
        })}
      </div>
    </div>
  );
}

function hintOf({ title, takesAlignment }: LabWorkload, { alignment }: WorkloadChoice): string {
  return alignment === 'misaligned' && !takesAlignment
    ? `${title} (the kernel chooses where: never misaligned)`
    : title;
}
