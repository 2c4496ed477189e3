import { type RefObject, useCallback, useEffect } from 'react';
import { turnedOrder } from '../../store/calls-question.ts';
import type { CallsView } from '../../store/select-calls.ts';
import { useStores } from '../../store/use-store.ts';

/** What a table of calls does where the server is asked for them. */
export type AskedTools = {
  /** Told which rows are in sight. */
  readonly see: (first: number, last: number) => void;
  /** A press on the head of a column. */
  readonly sort: (column: string) => void;
  readonly retry: () => void;
};

/** Asks for what is in sight of the table; before the first answer, for its first rows. */
export function useAskedCalls(
  { asked, columns }: CallsView,
  hasTable: boolean,
  scrollRef: RefObject<HTMLDivElement | null>,
): AskedTools {
  const { app } = useStores();
  const { calls } = app.recorded.recordings;
  const question = asked?.question;
  const see = useCallback(
    (first: number, last: number) => {
      if (question !== undefined) calls.want(question, first, last);
    },
    // A question is the same as long as its words are.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [calls, question?.session, question?.query],
  );
  useEffect(() => {
    if (!hasTable) see(0, 0);
  }, [see, hasTable]);
  const sort = (column: string): void => {
    if (asked === undefined) return;
    scrollRef.current?.scrollTo({ top: 0 });
    app.page.set({ callsOrder: turnedOrder(columns, asked.order, column) });
  };
  return { see, sort, retry: () => calls.retry() };
}
