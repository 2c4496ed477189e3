import type { ReactNode } from 'react';
import { DifferenceHeatmap } from '../../charts/difference-heatmap.tsx';
import { sideMarks } from '../../store/select-compare-charts.ts';
import { heatDifferenceOf, heatTable, selectHeat } from '../../store/select-compare-heat.ts';
import { useShown } from '../../store/use-store.ts';
import { EmptyState, FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { ComparePanel } from './compare-panel.tsx';

/** When faults took how long on the candidate and not on the baseline, and the other way round. */
export function HeatPanel(): ReactNode {
  const loaded = useShown(selectHeat, 'first');
  const heat = loaded.kind === 'ready' && 'heat' in loaded.value ? loaded.value.heat : undefined;
  const view = heat === undefined ? undefined : heatDifferenceOf(heat);
  return (
    <ComparePanel
      id="heat"
      title="where the sides differ"
      unit={
        view === undefined
          ? 'candidate minus baseline'
          : `faults of a mean run, candidate minus baseline; columns of ${view.columnWords}, from each run’s beginning`
      }
      table={heat === undefined ? undefined : heatTable(heat)}
      legend={view === undefined ? undefined : <HeatScale peakWords={view.peakWords} />}
    >
      {loaded.kind === 'loading' ? <Skeleton shape="chart" what="reading the runs’ buckets" /> : null}
      {loaded.kind === 'failed' ? (
        <FailedState message={loaded.problem.message} remedy={loaded.problem.remedy} stderr={undefined} />
      ) : null}
      {loaded.kind === 'ready' && 'why' in loaded.value ? <EmptyState why={loaded.value.why} /> : null}
      {view === undefined ? null : (
        <DifferenceHeatmap {...view} less={sideMarks.baseline.color} more={sideMarks.candidate.color} />
      )}
    </ComparePanel>
  );
}

function HeatScale({ peakWords }: { readonly peakWords: string }): ReactNode {
  return (
    <span className="readout difference-scale">
      −{peakWords} fewer on the candidate
      <span className="difference-ramp" aria-hidden="true" />
      more +{peakWords}
    </span>
  );
}
