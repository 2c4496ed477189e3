import { type ReactNode, useState } from 'react';
import { type NoteRow, type NotesView, selectNotes } from '../../store/select-writing.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Dialog } from '../../widgets/dialog.tsx';
import { Skeleton } from '../../widgets/panel-states.tsx';

/** As many characters as a note may have. */
const noteMax = 4_000;

/** The notes of a session, above everything else: read, changed, taken away, added to. */
export function NotesDialog(): ReactNode {
  const view = useShown(selectNotes, 'first');
  return view === undefined ? null : <Notes view={view} />;
}

function Notes({ view }: { readonly view: NotesView }): ReactNode {
  const { app } = useStores();
  const { writing } = app.recorded.recordings;
  return (
    <Dialog title={`Notes on ${view.title}`} look="notes-dialog" onClose={() => writing.closeNotes()}>
      {view.state === 'loading' ? <Skeleton shape="table" what="reading the notes" /> : null}
      {view.problem === undefined ? null : (
        <p className="trouble" role="alert">
          {view.problem.message} {view.problem.remedy}
        </p>
      )}
      <ul>
        {view.rows.map((row) => (
          <Note key={row.key} row={row} />
        ))}
      </ul>
      {view.state === 'ready' ? <NewNote hasNone={view.rows.length === 0} /> : null}
    </Dialog>
  );
}

function Note({ row }: { readonly row: NoteRow }): ReactNode {
  const { app } = useStores();
  const { writing } = app.recorded.recordings;
  const [isChanged, setIsChanged] = useState(false);
  return (
    <li>
      <small className="quiet">{row.when}</small>
      {isChanged ? (
        <NoteForm
          label={`note of ${row.when}`}
          first={row.text}
          word="Save"
          onCancel={() => setIsChanged(false)}
          onDone={async (text) => {
            if (await writing.editNote(row.atMs, text)) setIsChanged(false);
          }}
        />
      ) : (
        <>
          <p>{row.text}</p>
          <div className="state-actions">
            <Button label="Change" onClick={() => setIsChanged(true)} />
            <Button label="Take away" onClick={() => void writing.editNote(row.atMs, null)} />
          </div>
        </>
      )}
    </li>
  );
}

/** Where a new note is written; empty again when it has been taken. */
function NewNote({ hasNone }: { readonly hasNone: boolean }): ReactNode {
  const { app } = useStores();
  const [round, setRound] = useState(0);
  return (
    <NoteForm
      key={round}
      label={hasNone ? 'No note yet; write the first one' : 'another note'}
      first=""
      word="Add"
      onCancel={undefined}
      onDone={async (text) => {
        if (await app.recorded.recordings.writing.addNote(text)) setRound(round + 1);
      }}
    />
  );
}

type FormProps = {
  readonly label: string;
  readonly first: string;
  readonly word: string;
  readonly onCancel: (() => void) | undefined;
  readonly onDone: (text: string) => Promise<void>;
};

/** Several lines of text. Control and Enter take them, and so does the button. */
function NoteForm({ label, first, word, onCancel, onDone }: FormProps): ReactNode {
  const [text, setText] = useState(first);
  const done = (): void => {
    if (text.trim() !== '') void onDone(text.trim());
  };
  return (
    <div className="note-form">
      <label>
        <span className="quiet">{label}</span>
        <textarea
          value={text}
          rows={3}
          maxLength={noteMax}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) done();
          }}
        />
      </label>
      <div className="state-actions">
        {onCancel === undefined ? null : <Button label="Cancel" onClick={onCancel} />}
        <Button look="strong" label={word} isBusy={text.trim() === ''} onClick={done} />
      </div>
    </div>
  );
}
