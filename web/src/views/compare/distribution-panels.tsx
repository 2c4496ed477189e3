import type { ReactNode } from 'react';
import { formatPlural } from '@faultline/shared';
import { OverlayChart } from '../../charts/overlay-chart.tsx';
import { PlacesChart } from '../../charts/places-chart.tsx';
import { compareLayouts } from '../../store/page-state.ts';
import {
  type OverlayView,
  overlayOf,
  overlayTable,
  type RunOrderView,
  runOrderOf,
  runOrderTable,
  shiftOf,
  shiftTable,
  type SideName,
  sideMarks,
  sideNames,
} from '../../store/select-compare-charts.ts';
import { usePage, useStores } from '../../store/use-store.ts';
import { EmptyState } from '../../widgets/panel-states.tsx';
import { Segmented } from '../../widgets/segmented.tsx';
import { ComparePanel } from './compare-panel.tsx';
import type { Compared } from '../../store/select-compare.ts';
import { SideLegend } from './side-legend.tsx';

/** How long faults took on either side, on equal scales. */
export function LatencyPanel({ candidate }: Compared): ReactNode {
  const { app } = useStores();
  const { layout } = usePage();
  const view = overlayOf(candidate);
  const options = compareLayouts.map((value) => ({ value, label: value === 'beside' ? 'side by side' : 'overlaid' }));
  return (
    <ComparePanel
      id="latency"
      title="time in the fault handler"
      unit="share of faults; the line is the share up to there"
      table={view === undefined ? undefined : overlayTable(candidate)}
      controls={
        <Segmented
          label="layout"
          value={layout}
          options={options}
          onChange={(value) => app.page.set({ layout: value })}
        />
      }
      legend={<SideLegend />}
    >
      {view === undefined ? (
        <EmptyState why="No fault of vfio was measured on either side: vfio-fault was not traced, or nothing faulted." />
      ) : (
        <div className={`compare-pair compare-${layout}`}>
          {layout === 'overlaid' ? (
            <Overlay view={view} sides={sideNames} />
          ) : (
            sideNames.map((side) => <Overlay key={side} view={view} sides={[side]} />)
          )}
        </div>
      )}
    </ComparePanel>
  );
}

function Overlay({ view, sides }: { readonly view: OverlayView; readonly sides: readonly SideName[] }): ReactNode {
  const series = sides.map((side) => ({
    key: side,
    color: sideMarks[side].color,
    bars: view.bars.map(({ from, to, height, upTo }) => ({ from, to, height: height[side], upTo: upTo[side] })),
  }));
  return <OverlayChart series={series} topWords={view.topWords} ticks={view.ticks} />;
}

/** Where in the distribution the sides differ. */
export function ShiftPanel({ candidate }: Compared): ReactNode {
  const view = shiftOf(candidate);
  return (
    <ComparePanel
      id="shift"
      title="shift of the quantiles"
      unit="candidate over baseline; shown, not tested"
      table={view === undefined ? undefined : shiftTable(candidate)}
    >
      {view === undefined ? (
        <EmptyState
          why={
            candidate.verdict === 'not-comparable'
              ? 'The sides may not be compared: see the gate.'
              : 'No quantile can be compared: it takes two runs a side, and enough faults in each of them for a quantile.'
          }
        />
      ) : (
        <PlacesChart
          places={view.points.map(({ label }) => label)}
          ticks={view.ticks}
          one={view.one}
          series={[
            {
              ...{ key: 'shift', color: 'var(--accent)', shape: 'circle', isLine: true },
              points: view.points.map(({ at, low, high, label }) => ({ at, low, high, words: label })),
            },
          ]}
        />
      )}
    </ComparePanel>
  );
}

/** A metric by the order of runs: whether the machine warmed up, or something else went on. */
export function RunOrderPanel({ candidate }: Compared): ReactNode {
  const { metric } = usePage();
  const view = runOrderOf(candidate, metric);
  return (
    <ComparePanel
      id="order"
      title={view === undefined ? 'runs in their order' : `${view.metric.title}, runs in their order`}
      note={view === undefined ? undefined : driftWords(view)}
      table={view === undefined ? undefined : runOrderTable(view)}
      legend={<SideLegend />}
    >
      {view === undefined ? (
        <EmptyState why="There is no metric that both sides have." />
      ) : (
        <PlacesChart
          places={Array.from({ length: view.runCount }, (_, at) => String(at + 1))}
          ticks={view.ticks}
          series={sideNames.map((side) => ({
            key: side,
            color: sideMarks[side].color,
            shape: side === 'baseline' ? 'circle' : 'square',
            isLine: true,
            points: view.points[side],
          }))}
        />
      )}
    </ComparePanel>
  );
}

function driftWords({ drifts, runCount }: RunOrderView): string {
  if (drifts.length > 0) return drifts.join('; ');
  return runCount < 4 ? `${formatPlural(runCount, 'run')}: too few to see a trend` : 'no trend';
}
