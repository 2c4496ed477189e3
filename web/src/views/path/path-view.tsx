import type { ReactNode } from 'react';
import { selectPathCalls } from '../../store/select-calls.ts';
import { selectFaultHeat } from '../../store/select-latency.ts';
import { selectFaultLocks, selectVfioFaults } from '../../store/select-rates.ts';
import { CallsPanel } from '../live/calls-panel.tsx';
import { HeatPanel } from '../live/heat-panel.tsx';
import { RatePanel } from '../live/rate-panel.tsx';
import { AssertionPanel } from './assertion-panel.tsx';
import { DevicesPanel } from './devices-panel.tsx';
import { FiguresRow } from './figures-row.tsx';
import { LinksPanel } from './links-panel.tsx';
import { PathPanel } from './path-panel.tsx';

/** The fault path: who faults a BAR in, through which functions, under which lock, and how much it costs. */
export function PathView(): ReactNode {
  return (
    <>
      <FiguresRow />
      <div className="path-grid">
        <div className="cell-path">
          <PathPanel />
        </div>
        <div className="cell-vfio-faults">
          <RatePanel
            id="vfio-faults"
            title="vfio faults"
            unit="/s by order and origin"
            select={selectVfioFaults}
            rank="chart"
          />
        </div>
        <div className="cell-fault-locks">
          <RatePanel id="fault-locks" title="lock modes of faults" unit="/s" select={selectFaultLocks} rank="chart" />
        </div>
        <div className="cell-fault-heat">
          <HeatPanel id="fault-heat" title="time in the fault handler" select={selectFaultHeat} />
        </div>
        <div className="cell-devices">
          <DevicesPanel />
        </div>
        <div className="cell-assertion">
          <AssertionPanel />
        </div>
        <div className="cell-links">
          <LinksPanel />
        </div>
      </div>
      <div className="path-calls">
        <CallsPanel title="single faults and MAP_DMAs" select={selectPathCalls} />
      </div>
    </>
  );
}
