import type { ReactNode } from 'react';
import { type ProbeCard, selectProbes } from '../../store/select-probes.ts';
import { useShown } from '../../store/use-store.ts';
import { FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { ReplayOffer } from '../replay-offer.tsx';
import { PreflightTable } from './preflight-table.tsx';
import { StreamSection } from './stream-section.tsx';

/** What can be traced here, with what, and why not the rest. */
export function ProbesView(): ReactNode {
  const view = useShown(selectProbes, 'first');
  const { target, preflight, plansProblem } = view;
  if (target === undefined)
    return (
      <main className="probes">
        <Skeleton shape="table" what="asking the server" />
      </main>
    );
  const cannotTrace = preflight?.kind === 'ready' && !preflight.value.canTrace;
  return (
    <main className="probes" aria-label="probes">
      {cannotTrace && view.replay !== undefined ? (
        <ReplayOffer
          replay={view.replay}
          why="This target can't be traced yet; the checks below say what is missing."
        />
      ) : null}
      <section className="card" aria-label="preflight">
        <h2>
          Preflight <small>· {target.title}</small>
        </h2>
        <PreflightTable preflight={preflight} targetId={target.id} />
      </section>
      {plansProblem === undefined ? null : (
        <FailedState message={plansProblem.message} remedy={plansProblem.remedy} stderr={undefined} />
      )}
      {view.cards.map((card) => (
        <ProbeSection key={card.manifest.name} card={card} targetId={target.id} />
      ))}
    </main>
  );
}

function ProbeSection({ card, targetId }: { readonly card: ProbeCard; readonly targetId: string }): ReactNode {
  const { manifest, streams } = card;
  return (
    <section className="card" aria-label={manifest.name}>
      <h2>
        {manifest.name} <small>· {manifest.title}</small>
      </h2>
      <p>{manifest.question}</p>
      {manifest.caveats.length === 0 ? null : (
        <details className="caveats">
          <summary>what to mind</summary>
          <ul>
            {manifest.caveats.map((caveat) => (
              <li key={caveat}>{caveat}</li>
            ))}
          </ul>
        </details>
      )}
      {streams.map((stream) => (
        <StreamSection key={stream.key} card={stream} targetId={targetId} />
      ))}
    </section>
  );
}
