import type { ReactNode } from 'react';
import { formatBytes } from '@faultline/shared';
import { selectSessionNews } from '../../store/select-sessions.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';

/** What was just done to sessions: undo it, wait for it, or read why it was refused. */
export function SessionNews(): ReactNode {
  const { app } = useStores();
  const { removed, refused, transfers } = useShown(selectSessionNews, 'first');
  const { recordings } = app.recorded;
  if (removed.length + refused.length + transfers.length === 0) return null;
  return (
    <div className="session-news" role="status">
      {removed.map(({ id, title }) => (
        <p key={id}>
          <span>“{title}” is deleted.</span>
          <Button label="Undo" onClick={() => void recordings.restore(id)} />
        </p>
      ))}
      {refused.map(({ id, words }) => (
        <p key={id} className="trouble">
          <span>{words}</span>
          <Button look="icon" icon="close" label="Dismiss" onClick={() => recordings.dismiss(id)} />
        </p>
      ))}
      {transfers.map(({ key, words, doneBytes, allBytes }) => (
        <p key={key}>
          <span>{words}</span>
          <progress {...(allBytes === undefined ? {} : { value: doneBytes, max: allBytes })} aria-label={words} />
          <span className="quiet">{formatBytes(doneBytes)}</span>
        </p>
      ))}
    </div>
  );
}
