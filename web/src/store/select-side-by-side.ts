/** What stands beside each other on the live page, what could, and whether it can be compared. */
import type { Shown } from './app-state.ts';
import type { PageState } from './page-state.ts';
import { type LiveColumn, isSideBySide, liveColumns, targetIdIn } from './side-by-side.ts';

/** The recordings of both columns as the sides of a comparison, or why there is none. */
export type ComparableColumns =
  | { readonly kind: 'ready'; readonly sides: Pick<PageState, 'baseline' | 'candidate'> }
  | { readonly kind: 'missing'; readonly why: string };

/** The bar over the live views, as far as it is of two targets. */
export type SideBySideView = {
  readonly isOn: boolean;
  readonly targetIds: Readonly<Record<LiveColumn, string | undefined>>;
  /** Targets that could stand beside the one looked at, those that are traced first. */
  readonly offers: readonly { readonly id: string; readonly title: string }[];
  /** What the seconds of the common axis count from. */
  readonly zeroWords: string;
  readonly comparable: ComparableColumns;
};

/** Of the left column, which knows the other one. */
export function selectSideBySide(shown: Shown): SideBySideView {
  const { app, page } = shown;
  const left = targetIdIn('left', app, page);
  const right = targetIdIn('right', app, page);
  const isTraced = (id: string): boolean =>
    app.sessions.some(({ target, runs }) => target.id === id && runs.length > 0);
  const others = app.targets.filter(({ id }) => id !== left && id !== right);
  return {
    isOn: isSideBySide(page),
    targetIds: { left, right },
    offers: others
      .map(({ id, title }) => ({ id, title }))
      .toSorted((one, two) => Number(isTraced(two.id)) - Number(isTraced(one.id))),
    zeroWords: zeroWords(shown),
    comparable: comparable(shown),
  };
}

/** The address with another target in a column. The target of the other column changes places with it. */
export function withTargetIn(column: LiveColumn, id: string, shown: Shown): Pick<PageState, 'target' | 'beside'> {
  const left = targetIdIn('left', shown.app, shown.page);
  const right = targetIdIn('right', shown.app, shown.page);
  if (column === 'left') return { target: id, beside: id === right ? left : right };
  return { target: id === left ? right : left, beside: id };
}

/** The address with the first offer beside the target looked at; with one target where there are two. */
export function besideOrNot(shown: Shown): Pick<PageState, 'target' | 'beside'> {
  const { isOn, targetIds, offers } = selectSideBySide(shown);
  const [first] = offers;
  return isOn || first === undefined
    ? { target: targetIds.left, beside: undefined }
    : withTargetIn('right', first.id, shown);
}

/** The address with the columns swapped. */
export function swapped({ app, page }: Shown): Pick<PageState, 'target' | 'beside'> {
  return { target: targetIdIn('right', app, page), beside: targetIdIn('left', app, page) };
}

function zeroWords({ session, other }: Shown): string {
  const [first] = [session, other?.session]
    .filter((one) => one !== undefined)
    .toSorted((one, two) => one.view.startedAtMs - two.view.startedAtMs);
  return first === undefined ? '' : `One time axis: seconds since ${first.view.target.id} began.`;
}

function comparable(shown: Shown): ComparableColumns {
  const columns = [shown, shown.other];
  const [baseline, candidate] = columns.map((one) => one?.live?.view.recording?.id);
  if (baseline !== undefined && baseline !== '' && candidate !== undefined && candidate !== '')
    return { kind: 'ready', sides: { baseline: [baseline], candidate: [candidate] } };
  const missing = liveColumns.filter((_, at) => [baseline, candidate][at] === undefined);
  const names = missing.map((column) => targetIdIn(column, shown.app, shown.page) ?? column);
  return { kind: 'missing', why: `Nothing is recorded of ${names.join(' and ')} yet, or this server records nothing.` };
}
