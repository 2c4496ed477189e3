import type { ReactNode } from 'react';
import { formatPlural } from '@faultline/shared';
import { type SessionsPage, selectSessions } from '../../store/select-sessions.ts';
import { usePage, useShown, useStores } from '../../store/use-store.ts';
import { Button } from '../../widgets/button.tsx';
import { EmptyState, FailedState, Skeleton } from '../../widgets/panel-states.tsx';
import { ImportButton, ImportDrop } from './import-drop.tsx';
import { RecordedView } from './recorded-view.tsx';
import { SessionNews } from './session-news.tsx';
import { SessionTable } from './session-table.tsx';

/** Recorded sessions: all of them, or the one that is open. */
export function SessionsView(): ReactNode {
  const { session } = usePage();
  return session === undefined ? <SessionList /> : <RecordedView />;
}

function SessionList(): ReactNode {
  const list = useShown(selectSessions, 'first');
  return (
    <ImportDrop>
      <SessionBar list={list} />
      <SessionNews />
      <ListBody list={list} />
      {list.broken.length === 0 ? null : <Broken list={list} />}
    </ImportDrop>
  );
}

function SessionBar({ list }: { readonly list: SessionsPage }): ReactNode {
  const { app } = useStores();
  const { find } = usePage();
  const { words, hint, usedBytes, maxBytes } = list.storage;
  return (
    <div className="session-bar">
      <label className="field">
        find
        <input
          id="session-search"
          type="search"
          value={find ?? ''}
          placeholder="kernel, build:6.1, target, label …"
          spellCheck={false}
          autoComplete="off"
          maxLength={120}
          onChange={(event) => app.page.set({ find: event.target.value === '' ? undefined : event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Escape') app.page.set({ find: undefined });
          }}
        />
      </label>
      <span className="quiet" role="status">
        {find === undefined ? '' : `${list.rows.length} of ${formatPlural(list.allCount, 'session')}`}
      </span>
      <ImportButton />
      <span className="session-storage" title={hint}>
        {list.state === 'ready' && list.problem === undefined ? words : ''}
        {maxBytes === undefined ? null : (
          <>
            <meter value={usedBytes} max={maxBytes} high={maxBytes * 0.9} title={words} />
            <Button label="Bounds" hint={hint} onClick={() => void app.recorded.recordings.bounds.open()} />
          </>
        )}
      </span>
    </div>
  );
}

function ListBody({ list }: { readonly list: SessionsPage }): ReactNode {
  const { app } = useStores();
  const { find } = usePage();
  if (list.problem !== undefined) {
    // A server that was told to record nothing has no such route.
    const isOff = list.problem.error === 'not-found';
    const message = isOff ? 'This server records nothing.' : list.problem.message;
    const remedy = isOff ? 'Start faultline serve without --no-store.' : list.problem.remedy;
    return (
      <FailedState message={message} remedy={remedy} stderr={undefined}>
        <Button label="Try again" onClick={() => void app.recorded.recordings.refresh()} />
      </FailedState>
    );
  }
  if (list.state === 'loading') return <Skeleton shape="table" what="asking the server for its sessions" />;
  if (list.allCount === 0) {
    return (
      <EmptyState why="Nothing has been recorded yet. Whatever is traced is recorded from its first event on: start tracing, or type faultline record.">
        <Button label="Go to what is live" onClick={() => app.page.set({ page: 'live' })} />
      </EmptyState>
    );
  }
  if (list.rows.length === 0) {
    return (
      <EmptyState why={`No session has “${find ?? ''}” in its name, kernel, build, target, workload, label or probes.`}>
        <Button label="Show all sessions" onClick={() => app.page.set({ find: undefined })} />
      </EmptyState>
    );
  }
  return <SessionTable page={list} />;
}

function Broken({ list }: { readonly list: SessionsPage }): ReactNode {
  const { app } = useStores();
  return (
    <section className="sessions-broken" aria-label="sessions that cannot be read">
      <h2>{formatPlural(list.broken.length, 'session')} can’t be read</h2>
      <ul>
        {list.broken.map(({ id, problem, size }) => (
          <li key={id}>
            <b>{id}</b>
            <span className="trouble">{problem}</span>
            <span className="quiet">{size}; nothing was changed</span>
            <Button label="Delete" onClick={() => void app.recorded.recordings.remove(id, id)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
