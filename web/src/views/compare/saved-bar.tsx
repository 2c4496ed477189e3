import { type ReactNode, useState } from 'react';
import { type OpenSaved, selectSaved } from '../../store/select-saved-comparisons.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Menu, type MenuItem } from '../../widgets/menu.tsx';
import { TextDialog } from '../../widgets/text-dialog.tsx';

/** As long as a name may be, and a note in one line. */
const [nameMax, noteMax] = [120, 1_000];

/** The list of what is saved, and the key that saves. */
export function SavedMenu({ canSave }: { readonly canSave: boolean }): ReactNode {
  const { app } = useStores();
  const { rows } = useShown(selectSaved, 'first');
  const [isAsking, setIsAsking] = useState(false);
  const items = (): readonly MenuItem[] => [
    ...(rows.length === 0 ? [{ kind: 'heading', label: 'Nothing is saved yet' } as const] : []),
    ...rows.map(
      ({ id, name, when, words }): MenuItem => ({
        kind: 'action',
        label: `${name} · ${words}`,
        hint: when,
        onPick: () => app.page.set({ saved: id, baseline: [], candidate: [], pick: undefined }),
      }),
    ),
  ];
  const save = (name: string): void => {
    if (name === '') return;
    void app.comparisons.save(name).then((id) => {
      if (id !== undefined) app.page.set({ saved: id, baseline: [], candidate: [] });
    });
  };
  return (
    <>
      {canSave ? (
        <Button label="Save …" hint="Keep it under a name, with a link that stays" onClick={() => setIsAsking(true)} />
      ) : null}
      <Menu label="Saved" items={items} />
      {isAsking ? (
        <TextDialog
          title="Save this comparison as"
          first=""
          maxLength={nameMax}
          onDone={save}
          onClose={() => setIsAsking(false)}
        />
      ) : null}
    </>
  );
}

/** The comparison of the address that was saved: its name, what people wrote on it, and what can be done with it. */
export function SavedBar(): ReactNode {
  const { open } = useShown(selectSaved, 'first');
  return open === undefined ? null : <SavedOne saved={open} />;
}

function SavedOne({ saved }: { readonly saved: OpenSaved }): ReactNode {
  const { app } = useStores();
  const [asked, setAsked] = useState<'name' | 'note' | 'removal'>();
  const { id, name, when, words, notes, baseline, candidate } = saved;
  const close = (): void => app.page.set({ saved: undefined, baseline, candidate });
  const remove = (): void =>
    void app.comparisons.remove(id).then((isGone) => {
      if (isGone) app.page.set({ saved: undefined, baseline, candidate });
    });
  return (
    <section className="saved-bar" aria-label="saved comparison">
      <p>
        <b>{name}</b> <span className="quiet">{`${words} · saved ${when}`}</span>
      </p>
      <span className="saved-tools">
        <Button label="Add a note" onClick={() => setAsked('note')} />
        <Button label="Rename" onClick={() => setAsked('name')} />
        <Button label="Change the sides" hint="Its sessions as sides of a new comparison" onClick={close} />
        {asked === 'removal' ? (
          <Button label={`Remove “${name}”: sure`} onClick={remove} />
        ) : (
          <Button label="Remove" hint="Its sessions stay" onClick={() => setAsked('removal')} />
        )}
      </span>
      {notes.length === 0 ? null : (
        <ul className="saved-notes">
          {notes.map(({ key, when: written, text }) => (
            <li key={key}>
              {text} <span className="quiet">{written}</span>
            </li>
          ))}
        </ul>
      )}
      {asked === 'name' || asked === 'note' ? (
        <TextDialog
          title={asked === 'name' ? 'Rename this comparison' : 'A note on this comparison'}
          first={asked === 'name' ? name : ''}
          maxLength={asked === 'name' ? nameMax : noteMax}
          onDone={(text) => {
            if (text === '') return;
            void (asked === 'name' ? app.comparisons.rename(id, text) : app.comparisons.annotate(id, text));
          }}
          onClose={() => setAsked(undefined)}
        />
      ) : null}
    </section>
  );
}
