/** The matrix of comparisons for the page: asked for while it is looked at and something in it may still change. */
import type { LabMatrix } from '@faultline/shared';
import type { Comparisons } from '../api/comparisons.ts';
import type { Loaded } from './loaded.ts';
import type { PageState } from './page-state.ts';

/** While verdicts are made the server is asked this often, ms. */
const pendingIntervalMs = 1_000;
/** While runs are missing, ms: somebody may be making them, and each time costs the server reading all manifests. */
const missingIntervalMs = 5_000;

/** Whether the page shows the matrix: it is where one begins, before sides are chosen. */
export function isMatrixShown({ page, baseline, candidate, saved }: PageState): boolean {
  return page === 'compare' && saved === undefined && baseline.length + candidate.length === 0;
}

/** Asks, and keeps what came; the page's store shows it. */
export class MatrixStore {
  private readonly port: Pick<Comparisons, 'matrix'>;
  private readonly page: () => PageState;
  private readonly nowMs: () => number;
  private readonly changed: () => void;
  private known: Loaded<LabMatrix> | undefined;
  private isAsking = false;
  private isShown = false;
  private askedAtMs = 0;

  /** `changed` is called when anything is to be drawn anew. */
  constructor(
    port: Pick<Comparisons, 'matrix'>,
    { page, nowMs, changed }: { page: () => PageState; nowMs: () => number; changed: () => void },
  ) {
    this.port = port;
    this.page = page;
    this.nowMs = nowMs;
    this.changed = changed;
  }

  /** Undefined before it was asked for. */
  get state(): Loaded<LabMatrix> | undefined {
    return this.known;
  }

  /** Asks when the page comes to show the matrix, and then as long as what is known is not the last word; to be called often. */
  follow(): void {
    const wasShown = this.isShown;
    this.isShown = isMatrixShown(this.page());
    if (!this.isShown || this.isAsking) return;
    const waitMs = !wasShown || this.known === undefined ? 0 : intervalMs(this.known);
    if (waitMs !== undefined && this.nowMs() - this.askedAtMs >= waitMs) void this.refresh();
  }

  /** Asks again. */
  async refresh(): Promise<void> {
    this.isAsking = true;
    this.askedAtMs = this.nowMs();
    if (this.known === undefined) this.change({ kind: 'loading' });
    const answer = await this.port.matrix();
    this.isAsking = false;
    this.change(answer.ok ? { kind: 'ready', value: answer.value } : { kind: 'failed', problem: answer.error });
  }

  private change(known: Loaded<LabMatrix>): void {
    this.known = known;
    this.changed();
  }
}

/** When an answer is to be asked for again; undefined where it is whole, or somebody has to correct the file first. */
function intervalMs(known: Loaded<LabMatrix>): number | undefined {
  if (known.kind === 'loading') return undefined;
  if (known.kind === 'failed') return known.problem.error === 'unreachable' ? missingIntervalMs : undefined;
  const { rows, runCount } = known.value;
  const cells = rows.flatMap((row) => row.cells);
  if (cells.some(({ verdict }) => verdict?.kind === 'pending')) return pendingIntervalMs;
  return cells.some((cell) => cell.runCount < runCount) ? missingIntervalMs : undefined;
}
