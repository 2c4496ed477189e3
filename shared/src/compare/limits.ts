/** Bounds of comparisons: what they take, what they count as different, and what is kept of them. */

/** A difference up to this share is called the same, unless told otherwise: what nobody would act on. */
export const compareMarginShare = 0.03;

/** How often a comparison may call runs of one kernel different, of all metrics together. */
export const compareAlpha = 0.05;

/** Ways of dealing runs out to two sides that are counted one by one: 10 against 10 are 184,756 and take some ms. */
export const permutationsMax = 200_000;

/** Beyond that so many are drawn: p of 0.05 is then good to 0.002. */
export const permutationDraws = 20_000;

/** Where more runs than this were needed a side, it is said to be more: nobody makes them. */
export const compareRunsNeededMax = 1_000;

/** Sessions of one side of a comparison: each is read whole. */
export const compareRunsMax = 1_000;

/** Sides of one comparison: a baseline and seven candidates. */
export const compareSidesMax = 8;

/** Columns of a difference heatmap: narrower ones than 15 px are no longer told apart on half a screen. */
export const compareHeatColumnsMax = 60;

/** Journals of all runs of two sides that are read for one, bytes: some seconds' reading. Runs that only count take some 50 kB each. */
export const compareHeatBytesMax = 256 * 1024 ** 2;

/** Snapshots of runs that are remembered for the next one: some ten buckets each, 20 MB at most. 1,000 runs of a second have 4,000. */
export const heatSnapshotsMax = 50_000;

/** Sessions being recorded whose figures are kept to be read on for the next comparison: a side each, some MB at most. */
export const liveFiguresMax = 8;

/** Comparisons that a store keeps by name: a list that a person still reads. */
export const savedComparisonsMax = 500;

/** The file of one, bytes: 1,000 sessions a side are some 200 kB. */
export const savedComparisonBytesMax = 2 * 1024 ** 2;

/** What people write on one. */
export const savedComparisonNotesMax = 200;

/** What of a journal's beginning and of its end goes into its digest, bytes: it is taken at every look, of a thousand sessions too. */
export const journalEndBytes = 64 * 1024;

/** Words that name the sessions of one side of a comparison over HTTP: they have to fit into an address. */
export const compareWordsMax = 100;

/** One such word, characters: a hundred ids joined by commas. */
export const compareWordCharsMax = 4_000;
