/** The page of a comparison: what can be chosen, and in which state the comparison is. */
import {
  type CandidateComparison,
  type ComparableSession,
  type ComparisonAnswer,
  type Problem,
  formatElapsed,
  formatInstant,
  formatPlural,
} from '@faultline/shared';
import type { Shown } from './app-state.ts';

/** Something a side can be made of: all runs of a build under a workload, or one session. */
export type Choice = {
  /** What stands in the address. */
  readonly word: string;
  readonly label: string;
  readonly kind: 'build' | 'session';
  /** The sessions that it stands for. */
  readonly runCount: number;
};

/** What every part of a comparison is drawn from. */
export type Compared = { readonly answer: ComparisonAnswer; readonly candidate: CandidateComparison };

/** What the page shows. */
export type ComparePage = {
  readonly choices: readonly Choice[];
  readonly state:
    | { readonly kind: 'loading'; readonly what: string }
    | { readonly kind: 'failed'; readonly problem: Problem }
    /** Nothing can be compared. */
    | { readonly kind: 'too-few'; readonly sessionCount: number }
    /** Sides are still to be chosen; `offer` are two that would fit. */
    | { readonly kind: 'unchosen'; readonly offer: Offer | undefined }
    | ({ readonly kind: 'ready' } & Compared);
  readonly trouble: Problem | undefined;
};

/** Two sides worth looking at. */
export type Offer = { readonly baseline: Choice; readonly candidate: Choice };

/** All of it but the figures. */
export function selectCompare({ app }: Shown): ComparePage {
  const { sessions, answer, trouble } = app.comparisons;
  const known = sessions?.kind === 'ready' ? sessions.value : [];
  const choices = choicesOf(known);
  return {
    choices,
    state: stateOf(app.comparisons, known, choices),
    trouble: answer === undefined ? undefined : trouble,
  };
}

function stateOf(
  { sessions, answer }: Shown['app']['comparisons'],
  known: readonly ComparableSession[],
  choices: readonly Choice[],
): ComparePage['state'] {
  if (answer?.loaded.kind === 'failed') return answer.loaded;
  if (answer?.loaded.kind === 'loading') return { kind: 'loading', what: 'reading the runs of both sides' };
  if (answer?.loaded.kind === 'ready') {
    const { value } = answer.loaded;
    const [candidate] = value.comparison.candidates;
    if (candidate !== undefined) return { kind: 'ready', answer: value, candidate };
  }
  if (sessions?.kind === 'failed') return sessions;
  if (sessions?.kind !== 'ready') return { kind: 'loading', what: 'looking for recorded sessions' };
  if (known.length < 2) return { kind: 'too-few', sessionCount: known.length };
  return { kind: 'unchosen', offer: offerOf(choices) };
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
    return { word, kind: 'build', runCount: group.length, label: `${title} · ${formatPlural(group.length, 'run')}` };
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
  return { word: id, kind: 'session', runCount: 1, label: parts.filter((part) => part !== undefined).join(' · ') };
}

/** Two builds under the same workload. */
function offerOf(choices: readonly Choice[]): Offer | undefined {
  const builds = choices.filter(({ kind }) => kind === 'build');
  const workloadOf = ({ word }: Choice): string => word.slice(word.indexOf(','));
  for (const baseline of builds) {
    const candidate = builds.find((one) => one.word !== baseline.word && workloadOf(one) === workloadOf(baseline));
    if (candidate === undefined || !baseline.word.includes(',')) continue;
    // The older name as the baseline: 6.1 before 6.12.
    const order = baseline.word.localeCompare(candidate.word, 'en', { numeric: true });
    return order <= 0 ? { baseline, candidate } : { baseline: candidate, candidate: baseline };
  }
  return undefined;
}

/** A side with one more choice: a build stands alone, sessions add up. */
export function withChoice(words: readonly string[], choice: Choice): readonly string[] {
  if (choice.kind === 'build' || words.some((word) => word.includes(':'))) return [choice.word];
  return words.includes(choice.word) ? words : [...words, choice.word];
}
