import type { ReactNode } from 'react';
import { selectLabOffer, selectLiveView } from '../../store/select-lab.ts';
import { isSideBySide } from '../../store/side-by-side.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { PathView } from '../path/path-view.tsx';
import { CannotTraceNote } from './cannot-trace.tsx';
import { FilterBar } from './filter-bar.tsx';
import { LiveColumns } from './live-columns.tsx';
import { LocksView } from './locks-view.tsx';
import { SideBySideBar } from './side-by-side-bar.tsx';
import { ViewSwitch } from './view-switch.tsx';

/** What the kernel's locks and faults do now, or how vfio faults its BARs in. */
export function LiveView(): ReactNode {
  const view = useShown(selectLiveView, 'first');
  const isTwo = isSideBySide(usePage());
  const panels = view === 'path' ? <PathView /> : <LocksView />;
  return (
    <main className="live" aria-label="live">
      {isTwo ? null : <CannotTraceNote />}
      <div className="live-bar">
        <ViewSwitch view={view} />
        <FilterBar view={view} />
        <SideBySideBar />
      </div>
      {isTwo ? null : <LabOffer />}
      {isTwo ? <LiveColumns>{panels}</LiveColumns> : panels}
    </main>
  );
}

/** Where this machine has no vfio: a kernel that has, one click away. */
function LabOffer(): ReactNode {
  const { app } = useStores();
  const kernel = useShown(selectLabOffer, 'first');
  if (kernel === undefined) return null;
  const boot = (): void => {
    app.page.set({ page: 'lab' });
    void app.bootKernel({ kernel });
  };
  return (
    <div className="offer" role="note">
      <span>This kernel can’t trace vfio faults. The lab has real kernels that can, in guests of their own.</span>
      <Button icon="play" label={`Boot ${kernel} in the lab`} onClick={boot} />
      <Button label="See the lab" onClick={() => app.page.set({ page: 'lab' })} />
    </div>
  );
}
