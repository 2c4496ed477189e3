import type { ReactNode } from 'react';
import { selectSlowCalls } from '../../store/select-calls.ts';
import { selectHoldHeat, selectWaitHeat } from '../../store/select-latency.ts';
import { selectAcquisitions, selectFaults, selectHandled } from '../../store/select-rates.ts';
import { CallsPanel } from './calls-panel.tsx';
import { HeatPanel } from './heat-panel.tsx';
import { RatePanel } from './rate-panel.tsx';
import { SpreadPanel } from './spread-panel.tsx';
import { WhoPanel } from './who-panel.tsx';

/** What a kernel's locks and faults do: live, or in a part of a recorded session. */
export function LocksView(): ReactNode {
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
