import type { ReactNode } from 'react';
import { type TargetTab, type Trouble, selectState } from '../../store/select-frame.ts';
import { withTargetIn } from '../../store/select-side-by-side.ts';
import { isSideBySide } from '../../store/side-by-side.ts';
import { useColumn, usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { LiveMarkButton } from '../sessions/mark-button.tsx';

/** Second line: does it run, on what, and the two buttons that matter most. */
export function StateLine(): ReactNode {
  const { app } = useStores();
  const column = useColumn();
  const state = useShown(selectState, 'first');
  const isTwo = isSideBySide(usePage());
  const { target } = state;
  return (
    <>
      {target?.badge === undefined ? null : (
        <div className="badge-band" role="note">
          <b>{target.kind === 'replay' ? 'REPLAY' : 'LAB'}</b> {target.badge}
        </div>
      )}
      <div className="state-line">
        <span className={`state-word tone-${state.tone}`} role="status">
          <span className="state-dot" aria-hidden="true" />
          {state.word}
        </span>
        <span className="state-elapsed">{state.uptimeWords}</span>
        {isTwo ? <TargetField targets={state.targets} selected={state.wantedId} /> : null}
        {!isTwo && state.targets.length > 1 ? <TargetTabs targets={state.targets} selected={target?.id} /> : null}
        <span className="state-facts" title={state.details}>
          {state.facts.join(' · ')}
        </span>
        <div className="state-actions">
          <TroubleNote trouble={state.trouble} />
          <LiveMarkButton />
          {state.canStop ? (
            <Button
              look="strong"
              icon="stop"
              label="Stop"
              hint="stops all probes of this target"
              isBusy={state.isBusy}
              onClick={() => void app.stopAll(column)}
            />
          ) : (
            <Button
              look="strong"
              icon="play"
              label="Start"
              hint={`starts ${state.defaults.map(({ title }) => title).join(', ')}`}
              isBusy={state.isBusy || !state.canStart}
              onClick={() => {
                if (target !== undefined) void app.startDefaults(target.id);
              }}
            />
          )}
        </div>
      </div>
    </>
  );
}

function TroubleNote({ trouble }: { readonly trouble: Trouble | undefined }): ReactNode {
  const { app } = useStores();
  if (trouble === undefined) return null;
  const { words, command, isOfAddress = false } = trouble;
  return (
    <>
      <span className="trouble" role="alert" title={words}>
        {words}
      </span>
      {command === undefined ? null : (
        <Button look="icon" icon="close" label="Dismiss" onClick={() => app.dismiss(command)} />
      )}
      {isOfAddress ? (
        <Button look="icon" icon="close" label="Dismiss" onClick={() => app.page.set({ target: undefined })} />
      ) : null}
    </>
  );
}

function TargetTabs({
  targets,
  selected,
}: {
  readonly targets: readonly TargetTab[];
  readonly selected: string | undefined;
}): ReactNode {
  const { app } = useStores();
  return (
    <div className="segmented target-tabs" role="group" aria-label="targets">
      {targets.map(({ id, label, title, word, tone, badge }) => (
        <button
          key={id}
          type="button"
          className={`tone-${tone}`}
          aria-pressed={id === selected}
          aria-label={[label, word, badge].filter((part) => part !== undefined).join(', ')}
          title={`${title} (${word})`}
          onClick={() => app.page.set({ target: id, process: undefined })}
        >
          <span className="state-dot" aria-hidden="true" />
          {label}
          {badge === undefined ? null : <small className="tab-badge">{badge}</small>}
        </button>
      ))}
    </div>
  );
}

/** The target of a column: tabs would not fit twice. */
function TargetField({
  targets,
  selected,
}: {
  readonly targets: readonly TargetTab[];
  readonly selected: string | undefined;
}): ReactNode {
  const { app } = useStores();
  const column = useColumn();
  const isKnown = targets.some(({ id }) => id === selected);
  return (
    <span className="field target-field">
      <select
        aria-label={`${column} target`}
        value={selected ?? ''}
        onChange={(event) => app.page.set(withTargetIn(column, event.target.value, app.get()))}
      >
        {isKnown ? null : <option value={selected ?? ''}>{selected ?? 'choose a target'}</option>}
        {targets.map(({ id, label, word }) => (
          <option key={id} value={id}>
            {label} ({word})
          </option>
        ))}
      </select>
    </span>
  );
}
