import type { ReactNode } from 'react';
import { formatBytes } from '@faultline/shared';
import type { Shown } from '../../store/app-state.ts';
import type { Opened } from '../../store/recordings-state.ts';
import { selectLiveView } from '../../store/select-lab.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { FilterBar } from '../live/filter-bar.tsx';
import { LocksView } from '../live/locks-view.tsx';
import { ViewSwitch } from '../live/view-switch.tsx';
import { PathView } from '../path/path-view.tsx';
import { SessionNews } from './session-news.tsx';
import { TimeLinePanel } from './time-line-panel.tsx';

function selectOpened({ app }: Shown): Opened | undefined {
  return app.recordings.opened;
}

/** A recorded session: its time line, and below it what a live page shows, of the part that is chosen. */
export function RecordedView(): ReactNode {
  const opened = useShown(selectOpened, 'first');
  const view = useShown(selectLiveView, 'first');
  if (opened?.kind !== 'ready') return <NotOpen opened={opened} />;
  return (
    <main className="live recorded" aria-label="recorded session">
      <SessionNews />
      <TimeLinePanel />
      <div className="live-bar">
        <ViewSwitch view={view} />
        <FilterBar view={view} />
      </div>
      {view === 'path' ? <PathView /> : <LocksView />}
    </main>
  );
}

function NotOpen({ opened }: { readonly opened: Opened | undefined }): ReactNode {
  const { app } = useStores();
  const { session } = usePage();
  if (opened?.kind === 'failed') {
    return (
      <main className="sessions" aria-label="recorded session">
        <FailedState message={opened.problem.message} remedy={opened.problem.remedy} stderr={undefined}>
          <Button label="Try again" onClick={() => void app.recorded.recordings.reopen()} />
          <Button label="All sessions" onClick={() => app.page.set({ session: undefined })} />
        </FailedState>
      </main>
    );
  }
  const done = opened?.kind === 'loading' ? opened : undefined;
  const words = done === undefined || done.doneBytes === 0 ? '' : `, ${formatBytes(done.doneBytes)}`;
  return (
    <main className="sessions" aria-label="recorded session">
      <Skeleton shape="chart" what={`reading ${session ?? 'the session'}${words}`} />
    </main>
  );
}
