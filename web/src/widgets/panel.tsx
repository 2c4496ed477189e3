import { type KeyboardEvent, type ReactNode, type RefCallback, useId } from 'react';
import { Button } from './button.tsx';

type Props = {
  readonly id: string;
  /** The question the panel answers. */
  readonly title: string;
  readonly unit?: string | undefined;
  /** Stale, stopped, paused: what a reader must know before believing the figures. */
  readonly note?: string | undefined;
  /** Why the figures are not whole; undefined where they are. */
  readonly lossWord?: string | undefined;
  readonly controls?: ReactNode;
  /** Direct labels with the values of now, or of the cursor. */
  readonly legend?: ReactNode;
  readonly isTableOpen?: boolean;
  readonly onTable?: (() => void) | undefined;
  readonly onCopy?: (() => void) | undefined;
  /** Arrow keys, Home and End: where the cursor shall go. */
  readonly onStep?: ((step: 'left' | 'right' | 'first' | 'last' | 'none') => void) | undefined;
  /** Read out, not seen. */
  readonly spoken?: ReactNode;
  /** Follows whether the panel is in sight. */
  readonly frameRef?: RefCallback<HTMLElement>;
  readonly children: ReactNode;
};

const steps: Readonly<Record<string, 'left' | 'right' | 'first' | 'last' | 'none'>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  Home: 'first',
  End: 'last',
  Escape: 'none',
};

/** A panel: one question, its answer, and the keys that work on it. */
export function Panel(props: Props): ReactNode {
  const {
    id,
    title,
    unit,
    note,
    lossWord,
    controls,
    legend,
    isTableOpen = false,
    onTable,
    onCopy,
    onStep,
    spoken,
    frameRef,
    children,
  } = props;
  const headingId = useId();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const step = steps[event.key];
    if (event.key === 't' && onTable !== undefined) onTable();
    else if (event.key === 'c' && onCopy !== undefined) onCopy();
    else if (step !== undefined && onStep !== undefined && event.target === event.currentTarget) onStep(step);
    else return;
    event.preventDefault();
  };
  return (
    // The panel itself takes the focus, so that its keys work and its text can be copied without a mouse.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section
      ref={frameRef}
      className="panel"
      id={`panel-${id}`}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      aria-labelledby={headingId}
      onKeyDown={onKeyDown}
    >
      <header className="panel-head">
        <h2 id={headingId}>
          {title}
          {unit === undefined ? null : <small> · {unit}</small>}
        </h2>
        {lossWord === undefined ? null : <span className="tag tag-lossy">{lossWord}</span>}
        {note === undefined ? null : <span className="tag">{note}</span>}
        <div className="panel-controls">
          {controls}
          {onTable === undefined ? null : (
            <Button
              label={isTableOpen ? 'Show the chart (t)' : 'Show the table (t)'}
              icon={isTableOpen ? 'chart' : 'table'}
              look="icon"
              onClick={onTable}
              isPressed={isTableOpen}
            />
          )}
          {onCopy === undefined ? null : <Button label="Copy as text (c)" icon="copy" look="icon" onClick={onCopy} />}
        </div>
      </header>
      {legend === undefined ? null : <div className="panel-legend">{legend}</div>}
      <div className="panel-body">{children}</div>
      {spoken}
    </section>
  );
}

/** Whether keys belong to a field and not to the page. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  );
}
