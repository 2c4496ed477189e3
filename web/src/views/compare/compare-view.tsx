import type { ReactNode } from 'react';
import type { Problem } from '@faultline/shared';
import { type Compared, type ComparePage, type Offer, selectCompare } from '../../store/select-compare.ts';
import { useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { EmptyState, FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { BuildsPanel } from './builds-panel.tsx';
import { CompareBar } from './compare-bar.tsx';
import { LatencyPanel, RunOrderPanel, ShiftPanel } from './distribution-panels.tsx';
import { HeatPanel } from './heat-panel.tsx';
import { MatrixPanel } from './matrix-panel.tsx';
import { MetricPanel } from './metric-panel.tsx';
import { AssertionPanels, LockPanel, SidePathPanel } from './path-panels.tsx';
import { VerdictSection } from './verdict-section.tsx';

/** Kernel builds side by side: the verdict, and everything it rests on. */
export function CompareView(): ReactNode {
  const view = useShown(selectCompare, 'first');
  return (
    <main className="compare" aria-label="compare">
      <CompareBar view={view} />
      {view.trouble === undefined ? null : (
        <p className="trouble" role="alert">
          {view.trouble.message} {view.trouble.remedy}
        </p>
      )}
      <MatrixPanel />
      <CompareBody view={view} />
    </main>
  );
}

function CompareBody({ view: { state } }: { readonly view: ComparePage }): ReactNode {
  switch (state.kind) {
    case 'loading':
      return <Skeleton shape="table" what={state.what} />;
    case 'failed':
      return <Failed problem={state.problem} />;
    case 'too-few':
      return <TooFew sessionCount={state.sessionCount} />;
    case 'unchosen':
      return <Unchosen offers={state.offers} />;
    case 'ready':
      return <Comparison answer={state.answer} candidate={state.candidate} pick={state.pick} />;
  }
}

function Failed({ problem }: { readonly problem: Problem }): ReactNode {
  const { app } = useStores();
  // A server that was told to record nothing has no such route.
  const isOff = problem.error === 'not-found';
  return (
    <FailedState
      message={isOff ? 'This server records nothing, so there is nothing to compare.' : problem.message}
      remedy={isOff ? 'Start faultline serve without --no-store.' : problem.remedy}
      stderr={undefined}
    >
      <Button label="Try again" onClick={() => void app.comparisons.again()} />
    </FailedState>
  );
}

function TooFew({ sessionCount }: { readonly sessionCount: number }): ReactNode {
  const { app } = useStores();
  const there = sessionCount === 0 ? 'no closed session' : 'only one closed session';
  return (
    <EmptyState
      why={`A comparison takes recorded sessions of two kernels, a run each, and there is ${there}. Boot two kernels of the lab and run the same workload in each, several times; a session that is still recorded counts once it is closed.`}
    >
      <Button label="Go to the lab" onClick={() => app.page.set({ page: 'lab' })} />
      <Button label="Look again" onClick={() => void app.comparisons.refresh()} />
    </EmptyState>
  );
}

function Unchosen({ offers }: { readonly offers: readonly Offer[] }): ReactNode {
  const { app } = useStores();
  return (
    <EmptyState why="Choose a baseline and a candidate, or several: all runs of a build at once, or sessions one by one. The more runs a side, the smaller a difference that can be told from noise.">
      {offers.map(({ label, baseline, candidates }, at) => (
        <Button
          key={label}
          {...(at === 0 ? { look: 'strong' } : {})}
          label={label}
          onClick={() =>
            app.page.set({ baseline: [baseline.word], candidate: candidates.map(({ word }) => word), pick: undefined })
          }
        />
      ))}
    </EmptyState>
  );
}

function Comparison(props: Compared): ReactNode {
  return (
    <>
      {props.answer.comparison.candidates.length > 1 ? <BuildsPanel {...props} /> : null}
      <VerdictSection {...props} />
      <div className="compare-whole">
        <MetricPanel {...props} />
      </div>
      <div className="compare-grid">
        <div className="cell-latency">
          <LatencyPanel {...props} />
        </div>
        <div className="cell-difference">
          <HeatPanel />
        </div>
        <div className="cell-shift">
          <ShiftPanel {...props} />
        </div>
        <div className="cell-order">
          <RunOrderPanel {...props} />
        </div>
        <div className="cell-path-baseline">
          <SidePathPanel {...props} side="baseline" />
        </div>
        <div className="cell-path-candidate">
          <SidePathPanel {...props} side="candidate" />
        </div>
        <div className="cell-lock">
          <LockPanel {...props} />
        </div>
        <AssertionPanels {...props} />
      </div>
    </>
  );
}
