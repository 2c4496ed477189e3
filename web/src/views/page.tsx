import { type ReactNode, useEffect } from 'react';
import { selectTitle } from '../store/select-frame.ts';
import { isSideBySide } from '../store/side-by-side.ts';
import { usePage, useShown } from '../store/use-store.ts';
import { CompareView } from './compare/compare-view.tsx';
import { BrandLine } from './frame/brand-line.tsx';
import { ColumnHeads } from './frame/column-heads.tsx';
import { LedgerLine } from './frame/ledger-line.tsx';
import { StateLine } from './frame/state-line.tsx';
import { Help } from './help.tsx';
import { LabView } from './lab/lab-view.tsx';
import { LiveView } from './live/live-view.tsx';
import { ProbesView } from './probes/probes-view.tsx';
import { MarkDialog } from './sessions/mark-dialog.tsx';
import { BoundsDialog } from './sessions/bounds-dialog.tsx';
import { NotesDialog } from './sessions/notes-dialog.tsx';
import { RecordedBand } from './sessions/recorded-band.tsx';
import { SessionsView } from './sessions/sessions-view.tsx';
import { useKeys } from './use-keys.ts';

/** The whole page. */
export function Page(): ReactNode {
  const address = usePage();
  const { page, theme, isHelpOpen, session } = address;
  const isRecorded = page === 'sessions' && session !== undefined;
  useKeys();
  const title = useShown(selectTitle, 'first');
  useEffect(() => {
    document.title = title;
  }, [title]);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return (
    <>
      <header className="frame">
        <BrandLine />
        {isSideBySide(address) ? <ColumnHeads /> : <OneHead isRecorded={isRecorded} />}
      </header>
      {page === 'live' ? <LiveView /> : null}
      {page === 'sessions' ? <SessionsView /> : null}
      {page === 'compare' ? <CompareView /> : null}
      {page === 'probes' ? <ProbesView /> : null}
      {page === 'lab' ? <LabView /> : null}
      {isHelpOpen ? <Help /> : null}
      <MarkDialog />
      <NotesDialog />
      <BoundsDialog />
    </>
  );
}

function OneHead({ isRecorded }: { readonly isRecorded: boolean }): ReactNode {
  return (
    <>
      {isRecorded ? <RecordedBand /> : <StateLine />}
      <LedgerLine />
    </>
  );
}
