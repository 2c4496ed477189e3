/** Which sessions the words of a query name: the baseline and its candidates. */
import { compareSidesMax, compareWordCharsMax, compareWordsMax, ensure, recordingIdPattern } from '@faultline/shared';
import { type Static, Type } from 'typebox';
import { chooseRuns } from '../compare/choose-runs.ts';
import type { RecordedFolder } from '../compare/recorded-run.ts';
import { SavedComparisons } from '../sessions/saved-comparisons.ts';
import { sidesOfSaved } from '../compare/saved-sides.ts';
import { distinctTitles, titleOfSide } from '../compare/side-titles.ts';
import type { Library } from '../sessions/library.ts';
import { accepted, RefusedError } from './errors.ts';

/** A word, or several: the name stands once for each in the query. Of the baseline all are one side, of candidates each is one. */
export const WordsSchema = Type.Union([
  Type.String({ minLength: 1, maxLength: compareWordCharsMax }),
  Type.Array(Type.String({ minLength: 1, maxLength: compareWordCharsMax }), { minItems: 1, maxItems: 100 }),
]);
type Words = Static<typeof WordsSchema>;

/** The sessions of one side, and what it is called. */
export type ChosenSide = { readonly title: string; readonly folders: readonly RecordedFolder[] };

/** The baseline, and one candidate or more. */
export type PerSide<T> = readonly [baseline: T, candidate: T, ...further: T[]];

/** What a query asks for: words for both sides, or a comparison that was saved. */
export type SidesQuery = {
  readonly baseline?: Words | undefined;
  readonly candidate?: Words | undefined;
  readonly saved?: string | undefined;
};

/** The sides of a query, and what was saved with them. */
export type NamedSides = {
  readonly sides: PerSide<ChosenSide>;
  /** Sentences to be said beside the verdict. */
  readonly remarks: readonly string[];
  readonly judge: {
    readonly metrics?: readonly string[] | undefined;
    readonly marginShare?: number | undefined;
  };
};

/** The sides that a query names, by their words or by the id of a saved comparison. Throws a RefusedError. */
export function namedSides({ baseline, candidate, saved }: SidesQuery, library: Library): NamedSides {
  if (saved !== undefined) {
    if (baseline !== undefined || candidate !== undefined)
      throw refused('a saved comparison has its own sides', 'Ask with saved alone, or with baseline and candidate.');
    const found = accepted(new SavedComparisons(library.folder).read(saved));
    const { sides, remarks } = accepted(sidesOfSaved(found, library));
    const [first, second, ...further] = sides;
    return {
      sides: [ensure(first, 'a baseline'), ensure(second, 'a candidate'), ...further],
      remarks,
      judge: { metrics: found.metrics, marginShare: found.marginShare },
    };
  }
  const missing = baseline === undefined ? 'baseline' : 'candidate';
  if (baseline === undefined || candidate === undefined)
    throw refused(`the query has no ${missing}`, 'A comparison has a baseline and a candidate, or is a saved one.');
  return { sides: chooseSides({ baseline, candidate }, library), remarks: [], judge: {} };
}

/** The sessions of all sides: the words of the baseline are one side, every candidate of the query is one. Throws a RefusedError. */
export function chooseSides(
  { baseline, candidate }: { readonly baseline: Words; readonly candidate: Words },
  library: Library,
): PerSide<ChosenSide> {
  const [first, ...rest] = typeof candidate === 'string' ? [candidate] : candidate;
  if (first === undefined || rest.length + 2 > compareSidesMax)
    throw refused(
      `${String(rest.length + 1)} candidates are too many`,
      `A comparison has ${String(compareSidesMax - 1)} at most; sessions of one candidate stand in one word, with commas between them.`,
    );
  const sides: PerSide<ChosenSide> = [
    chooseSide('baseline', baseline, library),
    chooseSide('candidate', first, library),
    ...rest.map((word) => chooseSide('candidate', word, library)),
  ];
  const titles = distinctTitles(sides.map(({ title }) => title));
  return mapSides(sides, (side, at) => ({ ...side, title: titles[at] ?? side.title }));
}

/** The same of every side. */
function mapSides<T, U>([baseline, candidate, ...further]: PerSide<T>, make: (side: T, at: number) => U): PerSide<U> {
  return [make(baseline, 0), make(candidate, 1), ...further.map((side, at) => make(side, at + 2))];
}

/** A word with a slash that is no selection would be a folder of this machine: refused. */
function chooseSide(name: string, asked: Words, library: Library): ChosenSide {
  const chosen = wordsOf(asked);
  if (chosen.length > compareWordsMax)
    throw refused(`${name}: ${chosen.length} words are too many`, 'Select by build instead.');
  const wrong = chosen.find((word) => !isSelection(word) && !new RegExp(recordingIdPattern).test(word));
  if (wrong !== undefined)
    throw refused(
      `${name}: ${JSON.stringify(wrong.slice(0, 60))} is neither the id of a session nor a selection`,
      'GET /api/v1/comparable lists sessions; a selection is build:NAME,workload:NAME.',
    );
  const folders = accepted(chooseRuns(chosen, library));
  return { title: titleOfSide(folders, chosen), folders };
}

/** The words of a parameter. Commas part ids, and belong to a selection. */
export function wordsOf(asked: Words): readonly string[] {
  const all = typeof asked === 'string' ? [asked] : asked;
  return all.flatMap((word) => (isSelection(word) ? [word] : word.split(',').filter((part) => part !== '')));
}

function isSelection(word: string): boolean {
  return /^[a-z]+:/.test(word);
}

/** A query that can't be answered: what is wrong with it, and what to ask instead. */
export function refused(message: string, remedy: string): RefusedError {
  return new RefusedError({ kind: 'bad-parameter', message, remedy });
}
