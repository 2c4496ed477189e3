import { type ReactNode, useState } from 'react';
import { type Parameter, type RunView, assert, formatExact, formatInstant, formatShare } from '@faultline/shared';
import { type ParameterField, readParameter } from '../../store/parameter-form.ts';
import type { StreamCard } from '../../store/select-probes.ts';
import { useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { NumberField } from '../../widgets/number-field.tsx';
import { FailedState } from '../../widgets/panel-states.tsx';
import { VariantTable } from './variant-table.tsx';

/** One stream: its state, its parameters, and what can run here. */
export function StreamSection({ card, targetId }: { readonly card: StreamCard; readonly targetId: string }): ReactNode {
  const { app } = useStores();
  const { stream, run, startCommand, stopCommand } = card;
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const fields = stream.parameters.map((parameter) => ({
    parameter,
    field: readParameter(parameter, typed[parameter.name] ?? ''),
  }));
  const start = (): void => {
    const values = fields.map(({ parameter, field }) => {
      assert(field.isValid, 'the start button is off while a field is wrong');
      return [parameter.name, field.value] as const;
    });
    void app.startRun({ targetId, probe: card.probe, stream: stream.name, parameters: Object.fromEntries(values) });
  };
  const refusal = [startCommand, stopCommand].find((command) => command?.kind === 'failed');
  return (
    <section className="stream" aria-label={`${card.probe} ${stream.name}`}>
      <StreamHead card={card} areFieldsValid={fields.every(({ field }) => field.isValid)} onStart={start} />
      <p className="quiet">{stream.question}</p>
      {card.rival === undefined ? null : (
        <p className="quiet">Can't start while {card.rival} runs: both count the same events.</p>
      )}
      {refusal?.kind === 'failed' ? (
        <FailedState message={refusal.problem.message} remedy={refusal.problem.remedy} stderr={undefined}>
          <Button
            label="Dismiss"
            onClick={() => app.dismiss(refusal === startCommand ? `start ${card.key}` : `stop ${run?.id ?? ''}`)}
          />
        </FailedState>
      ) : null}
      {run?.failure === undefined ? null : (
        <FailedState message={run.failure.message} remedy={run.failure.remedy} stderr={run.failure.stderr} />
      )}
      {fields.length === 0 ? null : (
        <div className="parameters">
          {fields.map(({ parameter, field }) => (
            <ParameterInput
              key={parameter.name}
              parameter={parameter}
              field={field}
              typed={typed[parameter.name] ?? ''}
              onType={(text) => setTyped((known) => ({ ...known, [parameter.name]: text }))}
            />
          ))}
        </div>
      )}
      <VariantTable card={card} />
    </section>
  );
}

function StreamHead({
  card,
  areFieldsValid,
  onStart,
}: {
  readonly card: StreamCard;
  readonly areFieldsValid: boolean;
  readonly onStart: () => void;
}): ReactNode {
  const { app } = useStores();
  const { stream, run, startCommand, stopCommand } = card;
  return (
    <header className="stream-head">
      <h3>
        {stream.name} <small>{stream.title}</small>
      </h3>
      {stream.isDefault ? <span className="tag">default</span> : null}
      <RunState run={run} />
      <div className="stream-actions">
        {card.isActive && run !== undefined ? (
          <Button
            icon="stop"
            label="Stop"
            isBusy={stopCommand?.kind === 'pending' || run.state === 'stopping'}
            onClick={() => void app.stopRun(run.id)}
          />
        ) : (
          <Button
            icon="play"
            label="Start"
            hint={startHint(card)}
            isBusy={startCommand?.kind === 'pending' || !canStart(card) || !areFieldsValid}
            onClick={onStart}
          />
        )}
      </div>
    </header>
  );
}

function canStart(card: StreamCard): boolean {
  return card.rival === undefined && (card.plan === undefined || card.plan.chosen !== undefined);
}

function startHint({ plan, rival }: StreamCard): string | undefined {
  if (rival !== undefined) return `${rival} counts the same events and runs now`;
  return plan !== undefined && plan.chosen === undefined ? 'no variant fits this kernel; see below' : undefined;
}

function RunState({ run }: { readonly run: RunView | undefined }): ReactNode {
  if (run === undefined) return <span className="tag">not running</span>;
  const parameters = Object.entries(run.parameters).map(([name, value]) => `${name} ${formatExact(value)}`);
  const words = [
    run.state,
    `${run.script} (${run.attach})`,
    ...(run.state === 'running' ? [`bpftrace ${formatShare(run.bpftraceCpuShare)} CPU`] : []),
    ...parameters,
    run.endedAtMs === undefined ? `since ${formatInstant(run.startedAtMs)}` : `ended ${formatInstant(run.endedAtMs)}`,
  ];
  return <span className={`tag run-${run.state}`}>{words.join(' · ')}</span>;
}

function ParameterInput({
  parameter,
  field,
  typed,
  onType,
}: {
  readonly parameter: Parameter;
  readonly field: ParameterField;
  readonly typed: string;
  readonly onType: (text: string) => void;
}): ReactNode {
  return (
    <NumberField
      label={parameter.title}
      hint={parameter.description}
      typed={typed}
      placeholder={String(parameter.default)}
      unit={parameter.unit === 'none' || parameter.unit === 'id' ? undefined : parameter.unit}
      note={field.isValid ? field.meaning : field.why}
      isValid={field.isValid}
      onType={onType}
    />
  );
}
