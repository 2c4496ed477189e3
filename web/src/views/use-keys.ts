import { useEffect } from 'react';
import { noSession, pageNames } from '../store/page-state.ts';
import type { AppStore } from '../store/app-store.ts';
import { selectLiveView } from '../store/select-lab.ts';
import { besideOrNot, swapped } from '../store/select-side-by-side.ts';
import { isSideBySide } from '../store/side-by-side.ts';
import { useStores } from '../store/use-store.ts';
import { isTyping } from '../widgets/panel.tsx';
import { useMark } from './sessions/use-mark.ts';

/** The keys that work anywhere on the page. Those of a panel work on the one under the mouse where none has the focus. */
export function useKeys(): void {
  const { app, cursor } = useStores();
  const mark = useMark();
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const page = app.page.get();
      const pageName = pageNames[Number(event.key) - 1];
      if (event.key === '?') app.page.set({ isHelpOpen: !page.isHelpOpen });
      else if (event.key === ' ' && !isPressable(event.target)) playOrPause(app);
      // Of two columns the one that is pointed at.
      else if (event.key === 'm') mark((isSideBySide(page) ? cursor.get()?.column : undefined) ?? 'left');
      else if (event.key === 'f')
        (document.getElementById('process-filter') ?? document.getElementById('session-search'))?.focus();
      else if (event.key === 'a' && page.session !== undefined) app.page.set({ fromMs: undefined, toMs: undefined });
      else if (event.key === 'v' && (page.page === 'live' || page.session !== undefined))
        app.page.set({ view: selectLiveView(app.get()) === 'path' ? 'locks' : 'path' });
      else if (event.key === 'b' && page.page === 'live') app.page.set(besideOrNot(app.get()));
      else if (event.key === 'x' && isSideBySide(page)) app.page.set(swapped(app.get()));
      else if (event.key === 'l') app.page.set({ isLedgerOpen: !page.isLedgerOpen });
      else if (event.key === 'Escape' && page.isLedgerOpen) app.page.set({ isLedgerOpen: false });
      else if (pageName !== undefined) app.page.set({ page: pageName, ...noSession });
      else if (event.key === 't' || event.key === 'c') passToHovered(event);
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [app, cursor, mark]);
}

/** The live page stands still while counting goes on; a recorded session is played. */
function playOrPause(app: AppStore): void {
  const { session, isPaused } = app.page.get();
  if (session === undefined) app.page.set({ isPaused: !isPaused });
  else app.recorded.playOrPause();
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, a, summary, [role="row"]') !== null;
}

function passToHovered(event: KeyboardEvent): void {
  if (event.target instanceof Element && event.target.closest('.panel') !== null) return;
  const hovered = document.querySelector<HTMLElement>('.panel:hover');
  if (hovered === null) return;
  hovered.focus({ preventScroll: true });
  hovered.dispatchEvent(new KeyboardEvent('keydown', { key: event.key, bubbles: true }));
}
