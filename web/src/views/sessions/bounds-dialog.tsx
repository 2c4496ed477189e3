import type { ReactNode } from 'react';
import { type BoundField, type BoundsForm, selectBounds } from '../../store/select-bounds.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Dialog } from '../../widgets/dialog.tsx';
import { Skeleton } from '../../widgets/panel-states.tsx';

/** How much the store may hold, above everything else: seen, changed, and what that deletes said before it happens. */
export function BoundsDialog(): ReactNode {
  const form = useShown(selectBounds, 'first');
  return form === undefined ? null : <Bounds form={form} />;
}

function Bounds({ form }: { readonly form: BoundsForm }): ReactNode {
  const { app } = useStores();
  const { bounds } = app.recorded.recordings;
  return (
    <Dialog title="How much is kept" look="bounds-dialog" onClose={() => bounds.close()}>
      {form.state === 'loading' ? <Skeleton shape="table" what="asking the server for its bounds" /> : null}
      {form.state === 'ready' ? (
        <p className="quiet">{form.held}. The bounds last, and hold for everyone who uses this store.</p>
      ) : null}
      <ul>
        {form.fields.map((field) => (
          <Bound key={field.name} field={field} />
        ))}
      </ul>
      {form.problem === undefined ? null : (
        <p className="trouble" role="alert">
          {form.problem.message} {form.problem.remedy}
        </p>
      )}
      <Outcome form={form} />
      {form.state === 'ready' ? (
        <div className="state-actions">
          {form.setWords === undefined ? null : <Button label="Set back …" onClick={() => void bounds.typeBefore()} />}
          <Button
            look={form.outcome?.isLoss === true ? 'danger' : 'strong'}
            label={form.setLabel}
            isBusy={!form.canSet}
            onClick={() => void bounds.set()}
          />
        </div>
      ) : null}
    </Dialog>
  );
}

function Bound({ field }: { readonly field: BoundField }): ReactNode {
  const { app } = useStores();
  const { name, label, meaning, typed, note, isValid, isFixed } = field;
  const id = `bound-${name}`;
  return (
    <li>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        value={typed}
        maxLength={20}
        autoComplete="off"
        spellCheck={false}
        disabled={isFixed}
        aria-invalid={!isValid}
        aria-describedby={`${id}-note`}
        onChange={(event) => void app.recorded.recordings.bounds.type({ [name]: event.target.value })}
      />
      <span id={`${id}-note`}>
        <span className={isValid ? '' : 'number-field-wrong'}>{note}</span>
        <small className="quiet">{meaning}</small>
      </span>
    </li>
  );
}

/** What setting it would do, or that it was done: read out when it comes. */
function Outcome({ form: { outcome, setWords, state } }: { readonly form: BoundsForm }): ReactNode {
  if (state !== 'ready') return null;
  return (
    <div className="bounds-outcome" role="status">
      {outcome === undefined ? (
        <p className="quiet">{setWords}</p>
      ) : (
        <>
          <p className={outcome.isLoss ? 'session-lost' : ''}>{outcome.words}</p>
          {outcome.sessions === '' ? null : <p className="quiet">{outcome.sessions}</p>}
        </>
      )}
    </div>
  );
}
