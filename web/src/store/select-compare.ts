/** The page of a comparison: what can be chosen, and in which state the comparison is. */
import {
  type CandidateComparison,
  candidatesOf,
  type ComparableSession,
  type ComparisonAnswer,
  compareSidesMax,
  type Problem,
  formatElapsed,
  formatInstant,
  formatPlural,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';
import type { PageState } from './page-state.ts';

/** Something a side can be made of: all runs of a build under a workload, or one session. */
export type Choice = {
  /** What stands in the address. */
  readonly word: string;
  readonly label: string;
  readonly kind: 'build' | 'session';
  readonly build: string;
  /** The sessions that it stands for. */
  readonly runCount: number;
};

/** What every part of a comparison is drawn from: the baseline and the candidate that is picked. */
export type Compared = {
  readonly answer: Pick<ComparisonAnswer, 'baseline' | 'candidate' | 'comparison'>;
  readonly candidate: CandidateComparison;
  /** Its place among the candidates, from 0. */
  readonly pick: number;
};

/** What the page shows. */
export type ComparePage = {
  readonly choices: readonly Choice[];
  readonly state:
    | { readonly kind: 'loading'; readonly what: string }
    | { readonly kind: 'failed'; readonly problem: Problem }
    /** Nothing can be compared. */
    | { readonly kind: 'too-few'; readonly sessionCount: number }
    /** Sides are still to be chosen; `offers` would fit. */
    | { readonly kind: 'unchosen'; readonly offers: readonly Offer[] }
    | ({ readonly kind: 'ready' } & Compared);
  readonly trouble: Problem | undefined;
};

/** Sides worth looking at. */
export type Offer = { readonly label: string; readonly baseline: Choice; readonly candidates: readonly Choice[] };

/** All of it but the figures. */
export function selectCompare({ app, page }: Shown): ComparePage {
  const { sessions, trouble } = app.comparisons;
  const known = sessions?.kind === 'ready' ? sessions.value : [];
  const choices = choicesOf(known);
  return {
    choices,
    state: stateOf(app.comparisons, known, choices, page.pick),
    trouble,
  };
}

function stateOf(
  { sessions, answer }: Shown['app']['comparisons'],
  known: readonly ComparableSession[],
  choices: readonly Choice[],
  pick: number | undefined,
): ComparePage['state'] {
  if (answer?.loaded.kind === 'failed') return answer.loaded;
  if (answer?.loaded.kind === 'loading') return { kind: 'loading', what: 'reading the runs of all sides' };
  const shown = answer?.loaded.kind === 'ready' ? picked(answer.loaded.value, pick) : undefined;
  if (shown !== undefined) return { kind: 'ready', ...shown };
  if (sessions?.kind === 'failed') return sessions;
  if (sessions?.kind !== 'ready') return { kind: 'loading', what: 'looking for recorded sessions' };
  if (known.length < 2) return { kind: 'too-few', sessionCount: known.length };
  return { kind: 'unchosen', offers: offersOf(choices) };
}

/** The candidate of the address, otherwise the first. */
function picked(answer: ComparisonAnswer, pick: number | undefined): Compared | undefined {
  const candidates = candidatesOf(answer);
  const at = pick === undefined || pick > candidates.length ? 0 : pick - 1;
  const own = candidates[at];
  if (own === undefined) return undefined;
  const { baseline, comparison } = answer;
  return { answer: { baseline, comparison, candidate: own.view }, candidate: own.compared, pick: at };
}

/** Builds first, those with the most runs first, then sessions, the newest first. */
export function choicesOf(sessions: readonly ComparableSession[]): readonly Choice[] {
  const groups = new Map<string, ComparableSession[]>();
  for (const session of sessions) {
    const word = selectionOf(session);
    if (word === undefined) continue;
    const group = groups.get(word);
    if (group === undefined) groups.set(word, [session]);
    else group.push(session);
  }
  const builds = [...groups].map(([word, group]): Choice => {
    const [first] = group;
    const title = [first?.build, first?.workload].filter((part) => part !== undefined).join(' · ');
    const label = `${title} · ${formatPlural(group.length, 'run')}`;
    return { word, kind: 'build', build: first?.build ?? '', runCount: group.length, label };
  });
  return [
    ...builds.toSorted((left, right) => right.runCount - left.runCount || left.label.localeCompare(right.label)),
    ...sessions.map(sessionChoice),
  ];
}

/** The selection that takes all runs like this one. A comma would end a name within it: such builds go by their sessions. */
function selectionOf({ build, workload }: ComparableSession): string | undefined {
  if (build.includes(',') || workload?.includes(',') === true) return undefined;
  return workload === undefined ? `build:${build}` : `build:${build},workload:${workload}`;
}

function sessionChoice(session: ComparableSession): Choice {
  const { id, build, workload, name, runNumber, startedAtMs, durationMs } = session;
  const parts = [
    name ?? build,
    workload,
    runNumber === undefined ? undefined : `run ${String(runNumber)}`,
    formatInstant(startedAtMs),
    formatElapsed(durationMs),
  ];
  const label = parts.filter((part) => part !== undefined).join(' · ');
  return { word: id, kind: 'session', build, runCount: 1, label };
}

/** Two builds under the same workload, and where there are more of them one against all others. */
export function offersOf(choices: readonly Choice[]): readonly Offer[] {
  const builds = choices.filter(({ kind, word }) => kind === 'build' && word.includes(','));
  const workloadOf = ({ word }: Choice): string => word.slice(word.indexOf(','));
  for (const first of builds) {
    const alike = builds.filter((one) => workloadOf(one) === workloadOf(first));
    const [, second] = alike;
    if (second === undefined) continue;
    // The older name as the baseline: 6.1 before 6.12.
    const [baseline, candidate] = inOrderOfNames([first, second]);
    if (baseline === undefined || candidate === undefined) continue;
    const two = { label: `${baseline.label} against ${candidate.label}`, baseline, candidates: [candidate] };
    const [oldest, ...others] = inOrderOfNames(alike).slice(0, compareSidesMax);
    if (oldest === undefined || others.length < 2) return [two];
    const names = others.map(({ build }) => build).join(', ');
    return [two, { label: `${names} against ${oldest.label}`, baseline: oldest, candidates: others }];
  }
  return [];
}

function inOrderOfNames(builds: readonly Choice[]): readonly Choice[] {
  return builds.toSorted((left, right) => left.word.localeCompare(right.word, 'en', { numeric: true }));
}

/** Whether a word of a side selects sessions by what they are of; otherwise it is ids with commas between them. */
function isSelection(word: string): boolean {
  return word.includes(':');
}

/** The sessions or the selection that a candidate's word is made of. */
export function partsOf(word: string): readonly string[] {
  return isSelection(word) ? [word] : word.split(',').filter((part) => part !== '');
}

/** The baseline with one more choice: a build stands alone, sessions add up. */
export function baselineWith(words: readonly string[], choice: Choice): readonly string[] {
  if (choice.kind === 'build' || words.some(isSelection)) return [choice.word];
  return words.includes(choice.word) ? words : [...words, choice.word];
}

/** The candidates with one more choice: a build is a candidate, and so is a session unless one of its build is there to join. */
export function candidatesWith(
  words: readonly string[],
  choice: Choice,
  choices: readonly Choice[],
): readonly string[] {
  if (words.some((word) => partsOf(word).includes(choice.word))) return words;
  const buildOf = (id: string): string | undefined => choices.find(({ word }) => word === id)?.build;
  const joined = words.findIndex(
    (word) => !isSelection(word) && partsOf(word).every((id) => buildOf(id) === choice.build),
  );
  if (choice.kind === 'build' || joined < 0) return [...words, choice.word];
  return words.map((word, at) => (at === joined ? `${word},${choice.word}` : word));
}

/** The candidates without one part of one of them. */
export function candidatesWithout(words: readonly string[], at: number, part: string): readonly string[] {
  return words.flatMap((word, place) => {
    if (place !== at) return [word];
    const rest = partsOf(word).filter((one) => one !== part);
    return rest.length === 0 ? [] : [rest.join(',')];
  });
}

/** The baseline and the picked candidate in each other's place. */
export function swapped({ baseline, candidate, pick }: PageState): Pick<PageState, 'baseline' | 'candidate' | 'pick'> {
  const at = Math.min(pick ?? 1, Math.max(1, candidate.length)) - 1;
  const own = candidate[at];
  const former = baseline.some(isSelection) ? baseline : [baseline.join(',')].filter((word) => word !== '');
  return {
    baseline: own === undefined ? [] : partsOf(own),
    candidate: [...candidate.slice(0, at), ...former, ...candidate.slice(at + 1)].slice(0, compareSidesMax - 1),
    pick,
  };
}
