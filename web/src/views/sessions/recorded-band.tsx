import type { ReactNode } from 'react';
import type { Shown } from '../../store/app-state.ts';
import { noSession } from '../../store/page-state.ts';
import { type RecordedBand as Band, selectRecordedBand } from '../../store/select-time-line.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { ExportMenu } from './session-menu.tsx';

/** Which session this is, and that it is not now. Stands where a live page says how it stands with its target. */
export function RecordedBand(): ReactNode {
  const { app } = useStores();
  const band = useShown(selectRecordedBand, 'first');
  const { session = '' } = usePage();
  return (
    <div className="badge-band recorded-band" role="note">
      <b>RECORDED</b>
      <span className="recorded-title" title={band?.id}>
        {band?.title ?? session}
      </span>
      <span className="recorded-facts" title={band?.facts.join('\n')}>
        {band?.facts.join(' · ')}
      </span>
      {band?.warning === undefined ? null : <span className="recorded-warning">{band.warning}</span>}
      <div className="state-actions">
        {band === undefined ? null : <BandActions band={band} />}
        <Button label="All sessions" onClick={() => app.page.set(noSession)} />
        <Button look="strong" label="Back to live" onClick={() => app.page.set({ page: 'live', ...noSession })} />
      </div>
    </div>
  );
}

function BandActions({ band }: { readonly band: Band }): ReactNode {
  const { app } = useStores();
  const isPinned = useShown(selectIsPinned, 'first') ?? band.isPinned;
  return (
    <>
      <Button
        look="icon"
        icon="pin"
        label={isPinned ? 'Unpin' : 'Pin: keep it whatever the bounds of the store say'}
        isPressed={isPinned}
        onClick={() => void app.recorded.recordings.pin(band.id, !isPinned)}
      />
      <ExportMenu id={band.id} />
    </>
  );
}

/** The list knows it sooner than the session that was opened. */
function selectIsPinned({ app, page }: Shown): boolean | undefined {
  const { overview } = app.recordings;
  if (overview?.kind !== 'ready') return undefined;
  return overview.value.rows.find(({ id }) => id === page.session)?.session?.isPinned;
}
