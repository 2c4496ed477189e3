/** `faultline replay`: the page with a recorded session on it, through the same path as a live one. */
import { join } from 'node:path';
import { sessionFiles } from '@faultline/shared';
import { manifestsOf } from '../exports/text.ts';
import { readJournal } from '../sessions/journal-reader.ts';
import { playJournal, RecordedSession } from '../sessions/recorded-session.ts';
import { RecordedTracing } from '../sessions/recorded-tracing.ts';
import { type ServeSurroundings, serve } from './serve.ts';
import type { ReplayWords } from './session-words.ts';
import { openLibrary, sayRefusal, sessionStatus } from './sessions.ts';

/** Plays it while serving; after its end the page stays up with all of it, until a signal ends it. */
export async function replay(
  words: ReplayWords & { readonly store: string },
  surroundings: ServeSurroundings,
): Promise<number> {
  const { terminal, stopping } = surroundings;
  const library = await openLibrary(words.store, terminal);
  if (library === undefined) return sessionStatus.failed;
  const found = library.findReadable(words.session);
  if (!found.ok) return sayRefusal(found.error, terminal);
  const { manifest, folder } = found.value;
  const session = new RecordedSession(manifest, Date.now() - manifest.createdAtMs);
  // Where it cannot be served nobody looks at it: then it ends at once, not when all of it has been played.
  const unserved = new AbortController();
  const stopped = AbortSignal.any([stopping, unserved.signal]);
  const events = readJournal(join(folder, sessionFiles.journal));
  const played = playJournal(events, session, { speed: words.speed, stopped }).then(
    (problem) => {
      if (stopped.aborted) return;
      terminal.err(
        problem === undefined
          ? `${manifest.id} has been played to its end\n`
          : `faultline: ${manifest.id}: ${problem}\n`,
      );
    },
    (error: unknown) => terminal.err(`faultline: ${manifest.id}: ${String(error)}\n`),
  );
  const request = {
    port: words.port,
    host: words.host,
    token: undefined,
    allowedHosts: [],
    labKernels: [],
    matrixFile: undefined,
    start: 'nothing',
  } as const;
  const status = await serve(new RecordedTracing(session, manifestsOf(manifest.runs)), request, {
    ...surroundings,
    library,
  });
  if (status !== sessionStatus.done) unserved.abort();
  await played;
  return status;
}
