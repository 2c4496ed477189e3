import { type ReactNode, useEffect, useRef } from 'react';
import { Button } from './button.tsx';

type Props = {
  readonly title: string;
  /** A class of its own beside that of all dialogs. */
  readonly look?: string;
  /** Called when it has been closed, by its button or Escape. */
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/** Something to read or fill in above everything else, open as long as it is drawn, with its title and a way out. */
export function Dialog({ title, look, onClose, children }: Props): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (ref.current?.open === false) ref.current.showModal();
  }, []);
  return (
    <dialog ref={ref} className={look === undefined ? 'help' : `help ${look}`} aria-label={title} onClose={onClose}>
      <header className="panel-head">
        <h2>{title}</h2>
        <div className="panel-controls">
          <Button look="icon" icon="close" label="Close" onClick={() => ref.current?.close()} />
        </div>
      </header>
      {children}
    </dialog>
  );
}
