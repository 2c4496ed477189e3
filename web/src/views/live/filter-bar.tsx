import { type KeyboardEvent, type ReactNode, useState } from 'react';
import { dimensionValues, liveWindowNames, liveWindows, modeDimensions, processDimension } from '@faultline/shared';
import type { Shown } from '../../store/app-state.ts';
import { modeMark } from '../../store/marks.ts';
import type { LiveViewName } from '../../store/page-state.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Segmented } from '../../widgets/segmented.tsx';

const offersMax = 500;

function selectProcesses(shown: Shown): readonly string[] {
  return valuesOf(shown, [processDimension]).slice(0, offersMax);
}

function selectModes(shown: Shown): readonly string[] {
  return valuesOf(shown, modeDimensions);
}

/** Of both columns where there are two: a filter is one for both. */
function valuesOf({ session, other }: Shown, dimensions: readonly string[]): readonly string[] {
  const sessions = [session, other?.session].filter((one) => one !== undefined);
  const values = sessions.flatMap((one) => dimensionValues(one, dimensions));
  return sessions.length > 1 ? [...new Set(values)].toSorted() : values;
}

/** Process, mode, window, pause: all of it in the address. Faults are by the lock they come under, so their view has no mode. */
export function FilterBar({ view }: { readonly view: LiveViewName }): ReactNode {
  const { app } = useStores();
  const page = usePage();
  return (
    <div className="filter-bar" role="toolbar" aria-label="filters">
      <ProcessField />
      {view === 'path' ? null : <ModeField />}
      {page.page === 'sessions' ? null : <LiveTime />}
      {page.process === undefined && page.mode === undefined ? null : (
        <Button
          icon="close"
          label="Clear filters"
          onClick={() => app.page.set({ process: undefined, mode: undefined })}
        />
      )}
    </div>
  );
}

/** What a live page shows of the time that goes by; of a recorded session the time line says it. */
function LiveTime(): ReactNode {
  const { app } = useStores();
  const page = usePage();
  return (
    <>
      <span className="filter-label">window</span>
      <Segmented
        label="window"
        value={page.window}
        options={liveWindowNames.map((value) => ({ value, label: liveWindows[value].title }))}
        onChange={(window) => app.page.set({ window })}
      />
      <Button
        icon={page.isPaused ? 'play' : 'pause'}
        label={page.isPaused ? 'Go on' : 'Pause'}
        hint="space; figures go on being counted while the page stands still"
        isPressed={page.isPaused}
        onClick={() => app.page.set({ isPaused: !page.isPaused })}
      />
    </>
  );
}

function ProcessField(): ReactNode {
  const { app } = useStores();
  const { process } = usePage();
  const known = useShown(selectProcesses, 'first');
  // What is being typed and not yet chosen; undefined while nobody types.
  const [draft, setDraft] = useState<string>();
  const typed = draft ?? process ?? '';
  const commit = (value: string): void => {
    setDraft(undefined);
    app.page.set({ process: value === '' ? undefined : value });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter') commit(typed);
    if (event.key === 'Escape') {
      commit('');
      event.currentTarget.blur();
    }
  };
  return (
    <label className="field">
      process
      <input
        id="process-filter"
        list="processes"
        value={typed}
        placeholder="all"
        spellCheck={false}
        autoComplete="off"
        maxLength={100}
        onChange={(event) => {
          // A name picked from the list counts at once; one being typed when it is finished.
          if (event.target.value === '' || known.includes(event.target.value)) commit(event.target.value);
          else setDraft(event.target.value);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => commit(typed)}
      />
      <datalist id="processes">
        {known.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </datalist>
    </label>
  );
}

function ModeField(): ReactNode {
  const { app } = useStores();
  const { mode } = usePage();
  const known = useShown(selectModes, 'first');
  const offered = mode === undefined || known.includes(mode) ? known : [...known, mode];
  return (
    <label className="field">
      mode
      <select
        value={mode ?? ''}
        onChange={(event) => app.page.set({ mode: event.target.value === '' ? undefined : event.target.value })}
      >
        <option value="">all</option>
        {offered.map((name) => (
          <option key={name} value={name}>
            {modeMark(name).name} ({name})
          </option>
        ))}
      </select>
    </label>
  );
}
