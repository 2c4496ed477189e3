/** Comparisons of recorded sessions over HTTP: what can be compared, the comparison, and its texts to pass on. */
import {
  type ComparableSession,
  ComparableSessionSchema,
  type ComparisonAnswer,
  ComparisonAnswerSchema,
  type DifferenceHeatAnswer,
  DifferenceHeatAnswerSchema,
  type LabMatrix,
  LabMatrixSchema,
  type Problem,
  RemovedComparisonSchema,
  type Result,
  type SavedComparisonEntry,
  SavedComparisonEntrySchema,
  type SavedComparisonView,
  SavedComparisonViewSchema,
  err,
  ok,
  readAnswer,
  readAnswers,
} from '@faultline/shared';
import { createAsk, headersFor, readResponse, unreachable } from './http.ts';

type Answer<T> = Promise<Result<T, Problem>>;

/** The words of both sides: of the baseline all are one side, of candidates each is one. */
type Sides = { readonly baseline: readonly string[]; readonly candidate: readonly string[] };

/** What the page may ask about comparisons. `query` is what stands behind the `?`. */
export type Comparisons = {
  readonly comparable: () => Answer<readonly ComparableSession[]>;
  readonly compare: (query: string) => Answer<ComparisonAnswer>;
  readonly heat: (query: string) => Answer<DifferenceHeatAnswer>;
  readonly matrix: () => Answer<LabMatrix>;
  readonly saved: () => Answer<readonly SavedComparisonEntry[]>;
  readonly save: (name: string, sides: Sides) => Answer<SavedComparisonView>;
  readonly rename: (id: string, name: string) => Answer<SavedComparisonView>;
  readonly annotate: (id: string, text: string) => Answer<SavedComparisonView>;
  readonly remove: (id: string) => Answer<{ readonly id: string }>;
  /** The comparison in one of the formats of the interface, whole, and the name for its file. */
  readonly fileOf: (query: string, format: string) => Answer<{ readonly bytes: Blob; readonly name: string }>;
};

/** The comparisons of the server at the page's own origin. */
export function createComparisons(token: string | undefined): Comparisons {
  const ask = createAsk(token);
  return {
    comparable: () => ask((answer) => readAnswers(ComparableSessionSchema, answer), 'comparable'),
    compare: (query) => ask((answer) => readAnswer(ComparisonAnswerSchema, answer), `compare?${query}`),
    heat: (query) => ask((answer) => readAnswer(DifferenceHeatAnswerSchema, answer), `compare/heat?${query}`),
    matrix: () => ask((answer) => readAnswer(LabMatrixSchema, answer), 'matrix'),
    saved: () => ask((answer) => readAnswers(SavedComparisonEntrySchema, answer), 'comparisons'),
    save: (name, sides) => ask(readSaved, 'comparisons', { json: { name, ...sides } }),
    rename: (id, name) => ask(readSaved, `comparisons/${id}`, { method: 'PATCH', json: { name } }),
    annotate: (id, text) => ask(readSaved, `comparisons/${id}/notes`, { json: { text } }),
    remove: (id) =>
      ask((answer) => readAnswer(RemovedComparisonSchema, answer), `comparisons/${id}`, { method: 'DELETE', json: {} }),
    fileOf: async (query, format) => {
      const path = `compare?${query}&format=${format}`;
      try {
        const response = await fetch(`/api/v1/${path}`, { headers: headersFor(token), cache: 'no-store' });
        if (!response.ok) return readResponse(() => err('no file'), path, response.status, await response.text());
        const bytes = await response.blob();
        const name = /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
        return ok({ bytes, name: name ?? `faultline-comparison.${format}` });
      } catch (error) {
        return err(unreachable(error));
      }
    },
  };
}

function readSaved(answer: unknown): Result<SavedComparisonView, string> {
  return readAnswer(SavedComparisonViewSchema, answer);
}
