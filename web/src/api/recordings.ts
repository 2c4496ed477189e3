/** Recorded sessions over HTTP: the list, what is done to one, and the big answers with their progress. */
import {
  type CallsAnswer,
  CallsAnswerSchema,
  type Problem,
  type RecordedSessionView,
  RecordedSessionSchema,
  type RecordedView,
  RemovedSessionSchema,
  type RecordingsOverview,
  RecordingsOverviewSchema,
  type Result,
  type StoreLimits,
  type StorePreview,
  StorePreviewSchema,
  type StoreView,
  StoreViewSchema,
  decodeRecordedView,
  err,
  ok,
  readAnswer,
} from '@faultline/shared';
import { createAsk, headersFor, readResponse, unreachable } from './http.ts';

type Answer<T> = Promise<Result<T, Problem>>;

/** Told of bytes that have come; of all of them where that is known. */
export type OnBytes = (doneBytes: number, allBytes: number | undefined) => void;

/** What the page may do with recorded sessions. */
export type Recordings = {
  readonly overview: () => Answer<RecordingsOverview>;
  readonly recording: (id: string) => Answer<RecordedSessionView>;
  readonly view: (id: string, onBytes: OnBytes) => Answer<RecordedView>;
  /** Calls of a closed session; `query` as of GET …/calls. */
  readonly calls: (id: string, query: string) => Answer<CallsAnswer>;
  readonly pin: (id: string, isPinned: boolean) => Answer<RecordedSessionView>;
  readonly edit: (
    id: string,
    edit: { readonly name?: string | null; readonly label?: string | null },
  ) => Answer<RecordedSessionView>;
  readonly mark: (id: string, mark: { readonly text: string; readonly atMs: number }) => Answer<RecordedSessionView>;
  readonly note: (id: string, text: string) => Answer<RecordedSessionView>;
  /** What the note of a time (epoch ms) says; null takes it away. */
  readonly editNote: (
    id: string,
    note: { readonly atMs: number; readonly text: string | null },
  ) => Answer<RecordedSessionView>;
  /** Until when (epoch ms) it can be had back. */
  readonly remove: (id: string) => Answer<{ readonly restorableUntilMs: number }>;
  readonly restore: (id: string) => Answer<RecordedSessionView>;
  /** How much the store holds and may hold. */
  readonly store: () => Answer<StoreView>;
  /** What setting these bounds would take away now. */
  readonly previewBounds: (limits: Partial<StoreLimits>) => Answer<StorePreview>;
  readonly setBounds: (limits: Partial<StoreLimits>) => Answer<StoreView>;
  /** Sends a file that was exported as archive, JSON Lines or CSV. */
  readonly import: (file: Blob, onBytes: OnBytes) => Answer<RecordedSessionView>;
  /** An export, whole, and the name for its file. */
  readonly export: (
    id: string,
    format: string,
    onBytes: OnBytes,
  ) => Answer<{ readonly blob: Blob; readonly name: string }>;
};

/** The recorded sessions of the server at the page's own origin. */
export function createRecordings(token: string | undefined): Recordings {
  const ask = createAsk(token);
  const readRecording = (answer: unknown): Result<RecordedSessionView, string> =>
    readAnswer(RecordedSessionSchema, answer);
  const readStore = (answer: unknown): Result<StoreView, string> => readAnswer(StoreViewSchema, answer);
  const path = (id: string, rest: string = ''): string => `recordings/${encodeURIComponent(id)}${rest}`;
  return {
    overview: () => ask((answer) => readAnswer(RecordingsOverviewSchema, answer), 'recordings-overview'),
    recording: (id) => ask(readRecording, path(id)),
    calls: (id, query) => ask((answer) => readAnswer(CallsAnswerSchema, answer), path(id, `/calls?${query}`)),
    pin: (id, isPinned) => ask(readRecording, path(id, '/pin'), { json: { isPinned } }),
    edit: (id, json) => ask(readRecording, path(id), { method: 'PATCH', json }),
    mark: (id, json) => ask(readRecording, path(id, '/marks'), { json }),
    note: (id, text) => ask(readRecording, path(id, '/notes'), { json: { text } }),
    editNote: (id, json) => ask(readRecording, path(id, '/notes'), { method: 'PATCH', json }),
    remove: (id) => ask((answer) => readAnswer(RemovedSessionSchema, answer), path(id), { method: 'DELETE', json: {} }),
    restore: (id) => ask(readRecording, path(id, '/restore'), { json: {} }),
    store: () => ask(readStore, 'store'),
    previewBounds: (limits) => {
      const query = new URLSearchParams(Object.entries(limits).map(([name, value]) => [name, String(value)]));
      return ask((answer) => readAnswer(StorePreviewSchema, answer), `store/preview?${query.toString()}`);
    },
    setBounds: (json) => ask(readStore, 'store', { method: 'PATCH', json }),
    import: (file, onBytes) => upload(token, file, onBytes, readRecording),
    view: async (id, onBytes) => {
      const got = await download(token, path(id, '/view'), onBytes);
      if (!got.ok) return got;
      try {
        return ok(decodeRecordedView(await got.value.blob.arrayBuffer()));
      } catch (error) {
        return err({ error: 'undecodable', message: `Session ${id}: ${String(error)}`, remedy: 'Reload the page.' });
      }
    },
    export: (id, format, onBytes) => download(token, path(id, `/export/${format}`), onBytes),
  };
}

/** A big request. fetch tells nothing of what has been sent; the older way does. */
function upload(
  token: string | undefined,
  file: Blob,
  onBytes: OnBytes,
  read: (answer: unknown) => Result<RecordedSessionView, string>,
): Answer<RecordedSessionView> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/api/v1/recordings');
    for (const [name, value] of Object.entries(headersFor(token))) request.setRequestHeader(name, value);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.addEventListener('progress', ({ loaded, total }) => onBytes(loaded, total));
    request.addEventListener('load', () =>
      resolve(readResponse(read, 'recordings', request.status, request.responseText)),
    );
    for (const end of ['error', 'abort', 'timeout'] as const)
      request.addEventListener(end, () => resolve(err(unreachable(undefined))));
    request.send(file);
  });
}

/** A big answer, piece by piece. It may take as long as it goes on coming. */
async function download(
  token: string | undefined,
  path: string,
  onBytes: OnBytes,
): Answer<{ readonly blob: Blob; readonly name: string }> {
  try {
    const response = await fetch(`/api/v1/${path}`, { headers: headersFor(token), cache: 'no-store' });
    if (!response.ok || response.body === null) {
      const failed = readResponse(() => err('no body'), path, response.status, await response.text());
      return failed.ok ? err({ error: 'not-understood', message: `The server sent nothing for ${path}.` }) : failed;
    }
    const allBytes = Number(response.headers.get('content-length') ?? Number.NaN);
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let doneBytes = 0;
    for (const reader = response.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces.push(value);
      doneBytes += value.byteLength;
      onBytes(doneBytes, Number.isFinite(allBytes) ? allBytes : undefined);
    }
    const type = response.headers.get('content-type') ?? 'application/octet-stream';
    const name = /filename="([^"/\\]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return ok({ blob: new Blob(pieces, { type }), name: name ?? 'faultline-session' });
  } catch (error) {
    return err(unreachable(error));
  }
}
