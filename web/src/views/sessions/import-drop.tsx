import { type DragEvent, type ReactNode, useRef, useState } from 'react';
import { useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';

/** The page of sessions: a file dropped anywhere on it is imported. */
export function ImportDrop({ children }: { readonly children: ReactNode }): ReactNode {
  const { app } = useStores();
  const [isOver, setIsOver] = useState(false);
  const onDrop = (event: DragEvent<HTMLElement>): void => {
    event.preventDefault();
    setIsOver(false);
    for (const file of event.dataTransfer.files) void app.recorded.recordings.import(file, file.name);
  };
  return (
    // Whatever a mouse drops here the button beside takes too, by keys as well.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <main
      className={`sessions${isOver ? ' is-dropping' : ''}`}
      aria-label="sessions"
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) setIsOver(false);
      }}
      onDrop={onDrop}
    >
      {children}
    </main>
  );
}

/** The same by a button. */
export function ImportButton(): ReactNode {
  const { app } = useStores();
  const ref = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        icon="up"
        label="Import"
        hint="a session exported as archive, jsonl or csv; or drop the file on this page"
        onClick={() => ref.current?.click()}
      />
      <input
        ref={ref}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-label="file to import"
        onChange={(event) => {
          for (const file of event.target.files ?? []) void app.recorded.recordings.import(file, file.name);
          event.target.value = '';
        }}
      />
    </>
  );
}
