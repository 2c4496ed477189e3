import type { ReactNode } from 'react';
import type { PanelStatus, Startable } from '../../store/panel-status.ts';
import { useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { EmptyState, FailedState, Skeleton } from '../../widgets/panel-states.tsx';

type Props = {
  readonly status: PanelStatus;
  readonly shape: 'chart' | 'table';
  readonly targetId: string | undefined;
  /** Instead of asking the server how it stands. */
  readonly onRetry?: (() => void) | undefined;
  readonly children: () => ReactNode;
};

/** What a panel shows in each of its states; the children only when there are figures. */
export function StatusBody({ status, shape, targetId, onRetry, children }: Props): ReactNode {
  const { app } = useStores();
  switch (status.kind) {
    case 'loading':
      return <Skeleton shape={shape} what={status.what} />;
    case 'empty':
      return (
        <EmptyState why={status.why}>
          {status.canUnfilter ? (
            <Button label="Show all processes" onClick={() => app.page.set({ process: undefined })} />
          ) : null}
          <StartButtons startables={status.start} targetId={targetId} word="Start" />
        </EmptyState>
      );
    case 'failed':
      return (
        <FailedState message={status.message} remedy={status.remedy} stderr={status.stderr}>
          {status.retry === undefined ? (
            <Button label="Try again" onClick={onRetry ?? (() => void app.refresh())} />
          ) : (
            <StartButtons startables={[status.retry]} targetId={targetId} word="Try again:" />
          )}
        </FailedState>
      );
    case 'ready':
      return children();
  }
}

function StartButtons({
  startables,
  targetId,
  word,
}: {
  readonly startables: readonly Startable[];
  readonly targetId: string | undefined;
  readonly word: string;
}): ReactNode {
  const { app } = useStores();
  if (targetId === undefined) return null;
  return startables.map(({ probe, stream, title }) => (
    <Button
      key={title}
      icon="play"
      label={`${word} ${title}`}
      onClick={() => void app.startRun({ targetId, probe, stream })}
    />
  ));
}
