import type { ReactNode } from 'react';
import { selectAcquisitions, selectFaults } from '../../store/select-rates.ts';
import { FilterBar } from './filter-bar.tsx';
import { RatePanel } from './rate-panel.tsx';
import { WhoPanel } from './who-panel.tsx';

/** What the kernel's locks and faults do now. */
export function LiveView(): ReactNode {
  return (
    <main className="live" aria-label="live">
      <FilterBar />
      <div className="live-grid">
        <div className="cell-acquisitions">
          <RatePanel id="acquisitions" title="mmap_lock acquisitions" unit="/s by mode" select={selectAcquisitions} />
        </div>
        <div className="cell-who">
          <WhoPanel />
        </div>
        <div className="cell-faults">
          <RatePanel id="faults" title="page faults" unit="/s by access and cause" select={selectFaults} />
        </div>
      </div>
    </main>
  );
}
