/** Faults and violations of recorded sessions, counted from their journals in the background, one after the other. */
import { type RecordingFacts, type RecordSummary, recordingFactsBytesMax } from '@faultline/shared';
import { openExportSource } from '../sessions/export-source.ts';
import { isLive, type LibraryEntry } from '../sessions/library.ts';

/** Remembers what was counted; a session that has changed is counted again. */
export class RecordingFactsBook {
  private readonly known = new Map<string, { readonly bytes: number; readonly facts: RecordingFacts | undefined }>();
  private readonly waiting = new Map<string, LibraryEntry>();
  private isCounting = false;

  /** What is known of a session; begins to count it where nothing is. */
  of(entry: LibraryEntry): RecordingFacts | undefined {
    const { id, bytes, manifest } = entry;
    const found = this.known.get(id);
    if (found?.bytes === bytes) return found.facts;
    if (manifest !== undefined && !isLive(entry) && bytes <= recordingFactsBytesMax) this.waiting.set(id, entry);
    if (!this.isCounting) void this.count();
    return found?.facts;
  }

  private async count(): Promise<void> {
    this.isCounting = true;
    for (const [id, entry] of this.waiting) {
      this.waiting.delete(id);
      this.known.set(id, { bytes: entry.bytes, facts: await countFacts(entry) });
    }
    this.isCounting = false;
  }
}

/** Undefined where the session cannot be read: it may be gone by now. */
async function countFacts({ id, folder, bytes, manifest }: LibraryEntry): Promise<RecordingFacts | undefined> {
  if (manifest === undefined) return undefined;
  try {
    const figures = await openExportSource({ id, folder, bytes, manifest }).figures();
    return factsOf(figures.summary(manifest));
  } catch {
    return undefined;
  }
}

/** What is neither a fallback nor a retry is a fault; violations are known where they were looked for. */
function factsOf({ runs }: Pick<RecordSummary, 'runs'>): RecordingFacts {
  const isTraced = (probe: string): boolean => runs.some(({ run }) => run.probe === probe);
  const sum = (probe: string, metric: string): number =>
    runs
      .filter(({ run }) => run.probe === probe)
      .flatMap(({ totals }) => totals)
      .filter((total) => total.metric === metric && !['fallback', 'retry'].includes(String(total.dims['result'])))
      .reduce((all, { value }) => all + value, 0);
  const violations = isTraced('lock-assert') ? { violationCount: sum('lock-assert', 'violations') } : {};
  if (isTraced('vfio-fault')) return { ...violations, faultKind: 'vfio', faultCount: sum('vfio-fault', 'attempts') };
  if (isTraced('page-fault')) return { ...violations, faultKind: 'page', faultCount: sum('page-fault', 'faults') };
  return violations;
}
