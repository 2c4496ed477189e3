/** Everything a reader chose, as the query string of the page's address: a reload or a link shows the same. */
import {
  compareSidesMax,
  compareWordCharsMax,
  compareWordsMax,
  type LatencySpan,
  type LiveWindow,
  liveWindowNames,
} from '@faultline/shared';

/** The pages there are, in the order of their number keys. */
export const pageNames = ['live', 'sessions', 'compare', 'probes', 'lab'] as const;
/** A page's word in the address. */
export type PageName = (typeof pageNames)[number];

/** The views of the live page. */
export const liveViewNames = ['locks', 'path'] as const;
/** A view's word in the address. */
export type LiveViewName = (typeof liveViewNames)[number];

/** How charts of two columns are scaled. */
export const scalesNames = ['equal', 'own'] as const;
/** A scaling's word in the address. */
export type ScalesName = (typeof scalesNames)[number];

/** The themes; `system` follows the machine. */
export const themeNames = ['system', 'light', 'dark'] as const;
/** A theme's word in the address. */
export type ThemeName = (typeof themeNames)[number];

/** How many times as fast as it was a recorded session is played. */
export const playSpeeds = ['1', '4', '16', '64'] as const;
/** A speed's word in the address. */
export type PlaySpeed = (typeof playSpeeds)[number];

/** How the two sides of a comparison's charts are drawn. */
export const compareLayouts = ['beside', 'overlaid'] as const;
/** A layout's word in the address. */
export type CompareLayout = (typeof compareLayouts)[number];

/** What the address says. Undefined is "not chosen". */
export type PageState = {
  readonly page: PageName;
  /** Undefined: the fault path where it is traced, otherwise the locks. */
  readonly view: LiveViewName | undefined;
  readonly target: string | undefined;
  /** The target that is looked at beside the first one, in a column of its own. */
  readonly beside: string | undefined;
  /** Whether charts of both columns have one scale, or each its own. */
  readonly scales: ScalesName;
  readonly process: string | undefined;
  readonly mode: string | undefined;
  readonly window: LiveWindow;
  readonly isPaused: boolean;
  readonly theme: ThemeName;
  /** The panel whose table is open instead of its chart. */
  readonly table: string | undefined;
  /** The column by which processes are sorted. */
  readonly sort: string | undefined;
  /** What the sums and distributions are taken over. */
  readonly span: LatencySpan;
  /** The call stream whose table is shown, as probe/stream. */
  readonly calls: string | undefined;
  /** The column by which calls of a recorded session are sorted (`-waitNs`: the largest first). */
  readonly callsOrder: string | undefined;
  readonly isLedgerOpen: boolean;
  readonly isHelpOpen: boolean;
  /** The recorded session that is open on the page of sessions. */
  readonly session: string | undefined;
  /** The part of it that is looked at, ms since its beginning; undefined is its beginning and its end. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly speed: PlaySpeed;
  /** What sessions are searched for, and the column they are sorted by (`-when`: the largest first). */
  readonly find: string | undefined;
  readonly order: string | undefined;
  /** The baseline of the comparison: ids of sessions, or selections such as build:6.1,workload:touch. */
  readonly baseline: readonly string[];
  /** Its candidates, a word each: a selection, or ids with commas between them. */
  readonly candidate: readonly string[];
  /** The id of a saved comparison, which has its own sides. */
  readonly saved: string | undefined;
  /** Which candidate is drawn, from 1; undefined is the first. */
  readonly pick: number | undefined;
  /** How the two sides of a chart stand to each other. */
  readonly layout: CompareLayout;
  /** The metric whose runs are drawn. */
  readonly metric: string | undefined;
};

/** A way to a page closes what is open: the tab of sessions is their list. */
export const noSession = { session: undefined, fromMs: undefined, toMs: undefined } as const;

const textMax = 120;

/** Reads a query string. What it does not know it leaves out: an old link still opens. */
export function readPageState(search: string): PageState {
  const query = new URLSearchParams(search);
  const text = (name: string): string | undefined => {
    const value = query.get(name);
    return value === null || value === '' ? undefined : value.slice(0, textMax);
  };
  const side = (name: string, wordsMax: number): readonly string[] =>
    query
      .getAll(name)
      .filter((word) => word !== '' && word.length <= compareWordCharsMax)
      .slice(0, wordsMax);
  return {
    page: oneOf(pageNames, query.get('page')) ?? 'live',
    view: oneOf(liveViewNames, query.get('view')),
    target: text('target'),
    beside: text('beside') === text('target') ? undefined : text('beside'),
    scales: oneOf(scalesNames, query.get('scales')) ?? 'equal',
    process: text('process'),
    mode: text('mode'),
    window: oneOf(liveWindowNames, query.get('window')) ?? '30s',
    isPaused: query.get('paused') === '1',
    theme: oneOf(themeNames, query.get('theme')) ?? 'system',
    table: text('table'),
    sort: text('sort'),
    span: oneOf(['window', 'all'] as const, query.get('span')) ?? 'window',
    calls: text('calls'),
    callsOrder: text('callsOrder'),
    isLedgerOpen: query.get('ledger') === '1',
    isHelpOpen: query.get('help') === '1',
    session: text('session'),
    fromMs: wholeMs(query.get('from')),
    toMs: wholeMs(query.get('to')),
    speed: oneOf(playSpeeds, query.get('speed')) ?? '1',
    find: text('find'),
    order: text('order'),
    baseline: side('baseline', compareWordsMax),
    candidate: side('candidate', compareSidesMax - 1),
    saved: text('saved'),
    pick: placeOf(query.get('pick')),
    layout: oneOf(compareLayouts, query.get('layout')) ?? 'beside',
    metric: text('metric'),
  };
}

/** Writes a query string that reads back as the same; what is as at first stays out of it. */
export function writePageState(state: PageState): string {
  const query = new URLSearchParams();
  const put = (name: string, value: string | undefined, first?: string): void => {
    if (value !== undefined && value !== first) query.set(name, value);
  };
  put('page', state.page, 'live');
  put('view', state.view);
  put('target', state.target);
  put('beside', state.beside);
  put('scales', state.scales, 'equal');
  put('process', state.process);
  put('mode', state.mode);
  put('window', state.window, '30s');
  put('paused', state.isPaused ? '1' : undefined);
  put('theme', state.theme, 'system');
  put('table', state.table);
  put('sort', state.sort);
  put('span', state.span, 'window');
  put('calls', state.calls);
  put('callsOrder', state.callsOrder);
  put('ledger', state.isLedgerOpen ? '1' : undefined);
  put('help', state.isHelpOpen ? '1' : undefined);
  put('session', state.session);
  put('from', state.fromMs === undefined ? undefined : String(state.fromMs));
  put('to', state.toMs === undefined ? undefined : String(state.toMs));
  put('speed', state.speed, '1');
  put('find', state.find);
  put('order', state.order);
  for (const name of ['baseline', 'candidate'] as const) for (const word of state[name]) query.append(name, word);
  put('saved', state.saved);
  put('pick', state.pick === undefined ? undefined : String(state.pick));
  put('layout', state.layout, 'beside');
  put('metric', state.metric);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}

/** An instant of a session: whole ms, below 30 years. */
function wholeMs(word: string | null): number | undefined {
  return word !== null && /^\d{1,12}$/.test(word) ? Number(word) : undefined;
}

/** The number of a candidate, from 1. */
function placeOf(word: string | null): number | undefined {
  return word !== null && /^[1-9]$/.test(word) ? Number(word) : undefined;
}

function oneOf<const T extends string>(words: readonly T[], word: string | null): T | undefined {
  return words.find((known) => known === word);
}
