/** The bounds of a store in words, the same on a command line and on the page: 500M, 10G, 12h, 30d. */
import type { StoreLimits } from './session-file.ts';

/** The bounds there are, in the order in which they are shown. */
export const storeLimitNames = ['bytesMax', 'ageMaxMs', 'sessionBytesMax', 'sessionAgeMaxMs'] as const;

/** The options of a command line that say them. */
export const storeLimitOptions: Readonly<Record<keyof StoreLimits, string>> = {
  bytesMax: '--store-max',
  ageMaxMs: '--keep-for',
  sessionBytesMax: '--session-max',
  sessionAgeMaxMs: '--session-for',
};

/** What a unit's letter stands for, the largest first. */
type Units = readonly (readonly [letter: string, size: number])[];
const byteUnits: Units = [
  ['T', 1024 ** 4],
  ['G', 1024 ** 3],
  ['M', 1024 ** 2],
  ['K', 1024],
  ['B', 1],
];
const ageUnits: Units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
];

/** `500M`, `10G` in bytes; undefined where it is no size. */
export function readBytesWord(word: string): number | undefined {
  return readWord(word, byteUnits);
}

/** `12h`, `30d` in ms; undefined where it is no time to keep something. */
export function readAgeWord(word: string): number | undefined {
  return readWord(word, ageUnits);
}

/** A bound as it is typed; reads back as the very same. */
export function storeLimitWord(name: keyof StoreLimits, value: number): string {
  const units = unitsOf(name);
  const [letter, size] = units.find(([, one]) => value >= one && value % one === 0) ?? ['', 1];
  return `${value / size}${letter}`;
}

/** What somebody typed for a bound, bytes or ms; undefined where it is none. */
export function readStoreLimit(name: keyof StoreLimits, word: string): number | undefined {
  return readWord(word, unitsOf(name));
}

function unitsOf(name: keyof StoreLimits): Units {
  return name === 'bytesMax' || name === 'sessionBytesMax' ? byteUnits : ageUnits;
}

function readWord(word: string, units: Units): number | undefined {
  const match = /^(\d{1,16})([A-Za-z]{1,2})$/.exec(word.trim());
  const size = units.find(([letter]) => letter === match?.[2])?.[1];
  const value = Number(match?.[1]) * (size ?? Number.NaN);
  return value > 0 && Number.isSafeInteger(value) ? value : undefined;
}
