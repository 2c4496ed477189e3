import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from './button.tsx';

type Props = {
  readonly title: string;
  readonly first: string;
  readonly maxLength: number;
  /** Why what was written before was refused; the dialog stays until `onClose` is answered. */
  readonly problem?: string | undefined;
  /** Whether it closes by itself when the text is taken. */
  readonly isKept?: boolean;
  /** Called with what was written, without blanks around it. */
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
};

/** Asks for one line of text, above everything else. Enter takes it, Escape does not. */
export function TextDialog({ title, first, maxLength, problem, isKept = false, onDone, onClose }: Props): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState(first);
  useEffect(() => {
    if (ref.current?.open === false) ref.current.showModal();
  }, []);
  const done = (): void => {
    onDone(text.trim());
    if (!isKept) ref.current?.close();
  };
  return (
    <dialog ref={ref} className="help text-dialog" aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      <input
        value={text}
        aria-label={title}
        maxLength={maxLength}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') done();
        }}
      />
      {problem === undefined ? null : (
        <p className="trouble" role="alert">
          {problem}
        </p>
      )}
      <div className="state-actions">
        <Button label="Cancel" onClick={() => ref.current?.close()} />
        <Button look="strong" label="Save" onClick={done} />
      </div>
    </dialog>
  );
}
