import type { ReactNode } from 'react';
import { selectSlowCalls } from '../../store/select-calls.ts';
import { selectLabOffer, selectLiveView } from '../../store/select-lab.ts';
import { selectHoldHeat, selectWaitHeat } from '../../store/select-latency.ts';
import { selectAcquisitions, selectFaults, selectHandled } from '../../store/select-rates.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { PathView } from '../path/path-view.tsx';
import { CallsPanel } from './calls-panel.tsx';
import { CannotTraceNote } from './cannot-trace.tsx';
import { FilterBar } from './filter-bar.tsx';
import { HeatPanel } from './heat-panel.tsx';
import { RatePanel } from './rate-panel.tsx';
import { SpreadPanel } from './spread-panel.tsx';
import { WhoPanel } from './who-panel.tsx';

/** What the kernel's locks and faults do now, or how vfio faults its BARs in. */
export function LiveView(): ReactNode {
  const { app } = useStores();
  const view = useShown(selectLiveView, 'first');
  return (
    <main className="live" aria-label="live">
      <CannotTraceNote />
      <div className="live-bar">
        <Segmented
          label="view"
          value={view}
          options={[
            { value: 'locks', label: 'Locks' },
            { value: 'path', label: 'Fault path' },
          ]}
          onChange={(chosen) => app.page.set({ view: chosen })}
        />
        <FilterBar view={view} />
      </div>
      <LabOffer />
      {view === 'path' ? <PathView /> : <LocksView />}
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

function LocksView(): ReactNode {
  return (
    <div className="live-grid">
      <div className="cell-acquisitions">
        <RatePanel
          id="acquisitions"
          title="mmap_lock acquisitions"
          unit="/s by mode"
          select={selectAcquisitions}
          rank="chart"
        />
      </div>
      <div className="cell-who">
        <WhoPanel />
      </div>
      <div className="cell-wait">
        <HeatPanel id="wait" title="wait for mmap_lock" select={selectWaitHeat} />
      </div>
      <div className="cell-hold">
        <HeatPanel id="hold" title="hold of mmap_lock" select={selectHoldHeat} />
      </div>
      <div className="cell-faults">
        <RatePanel id="faults" title="page faults" unit="/s by access and cause" select={selectFaults} rank="slow" />
      </div>
      <div className="cell-spread">
        <SpreadPanel />
      </div>
      <div className="cell-handled">
        <RatePanel id="handled" title="faults handled" unit="/s by lock mode" select={selectHandled} rank="slow" />
      </div>
      <div className="cell-calls">
        <CallsPanel title="slow calls" select={selectSlowCalls} />
      </div>
    </div>
  );
}
