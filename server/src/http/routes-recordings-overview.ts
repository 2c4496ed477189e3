/** The list of recorded sessions as the page shows it: small, whatever their manifests hold. */
import {
  lostOf,
  ProblemSchema,
  type RecordingRow,
  RecordingsOverviewSchema,
  type StoreLimits,
} from '@faultline/shared';
import { buildOf } from '../compare/recorded-run.ts';
import { exportFormats } from '../exports/formats.ts';
import { isLive, type Library, type LibraryEntry } from '../sessions/library.ts';
import type { StoreBounds } from '../sessions/pruning.ts';
import type { App } from './fastify.ts';
import { RecordingFactsBook } from './recording-facts.ts';

/** Adds GET /recordings-overview. `boundsNow` gives the store's bounds, where it has any. */
export function addOverviewRoute(
  app: App,
  library: Library,
  boundsNow: () => StoreBounds | StoreLimits | undefined,
): void {
  const book = new RecordingFactsBook();
  app.get(
    '/recordings-overview',
    {
      schema: {
        tags: ['sessions'],
        summary: 'Recorded sessions, newest first, in short; what they take and what they may take',
        response: { 200: RecordingsOverviewSchema, '4xx': ProblemSchema, '5xx': ProblemSchema },
      },
    },
    () => {
      const entries = library.list();
      const limits = boundsNow();
      return {
        rows: entries.map((entry) => rowOf(entry, book)),
        formats: Object.keys(exportFormats),
        usedBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
        ...limits,
      };
    },
  );
}

function rowOf(entry: LibraryEntry, book: RecordingFactsBook): RecordingRow {
  const { id, bytes, manifest, problem } = entry;
  if (manifest === undefined) return { id, bytes, isLive: false, problem: problem ?? 'it cannot be read' };
  const { state, createdAtMs, lastAtMs, isPinned, target, runs, ledger, notes, marks, name, label, workload, setup } =
    manifest;
  const facts = book.of(entry);
  const { identity } = target;
  return {
    id,
    bytes,
    isLive: isLive(entry),
    session: {
      state,
      createdAtMs,
      lastAtMs,
      isPinned,
      ...(name === undefined ? {} : { name }),
      ...(label === undefined ? {} : { label }),
      ...(workload === undefined ? {} : { workload }),
      build: buildOf(manifest),
      ...(setup?.module === undefined ? {} : { module: setup.module }),
      targetKind: target.kind,
      targetTitle: target.title,
      ...(identity === undefined ? {} : { hostname: identity.hostname, release: identity.release }),
      isEmulated: identity?.isEmulated ?? false,
      probes: [...new Set(runs.map(({ view }) => view.probe))],
      recordedCount: ledger.recordedCount,
      lostCount: lostOf(ledger),
      isComplete: runs.every(({ view }) => view.isComplete),
      noteCount: notes.length,
      markCount: marks.length,
      ...(manifest.stop === undefined ? {} : { stop: manifest.stop.message }),
    },
    ...(facts === undefined ? {} : { facts }),
  };
}
