/** What the sides of a comparison are called, so that what is said of the one is not taken for another. */
import { buildOf, type RecordedFolder } from './recorded-run.ts';

/** Longer names of a side than this say nothing more. */
const titleMax = 200;

/** What a side is called: its build; where it has several, the words it was chosen by. */
export function titleOfSide(folders: readonly RecordedFolder[], words: readonly string[]): string {
  const builds = new Set(folders.map(({ manifest }) => buildOf(manifest)));
  const [build] = builds;
  return build !== undefined && builds.size === 1 ? build : words.join(' ').slice(0, titleMax);
}

/** The same titles, the baseline's first; where two are alike, each says which side it is. */
export function distinctTitles(titles: readonly string[]): readonly string[] {
  return titles.map((title, at) => {
    const isTwice = titles.some((other, place) => place !== at && other === title);
    return isTwice ? `${title} (${sideWord(at, titles.length)})` : title;
  });
}

function sideWord(at: number, count: number): string {
  if (at === 0) return 'baseline';
  return count === 2 ? 'candidate' : `candidate ${String(at)}`;
}
