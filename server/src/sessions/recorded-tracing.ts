/** What the faces of the server see when a recorded session is played: one target, one session, and nothing to start. */
import {
  err,
  ok,
  type Plan,
  type Preflight,
  type ProbeManifest,
  type Result,
  type RunView,
  type TargetView,
  type VfioDevice,
} from '@faultline/shared';
import type { RecordedSession } from './recorded-session.ts';
import type { Refusal } from './refusal.ts';
import type { SessionSource, Tracing } from './tracing.ts';

const refusal: Refusal = {
  kind: 'target-problem',
  message: 'this is a recorded session being played; there is no kernel behind it',
  remedy: 'Start faultline serve to trace.',
};

export class RecordedTracing implements Tracing {
  private readonly recorded: RecordedSession;
  private readonly manifests: readonly ProbeManifest[];

  constructor(session: RecordedSession, manifests: readonly ProbeManifest[]) {
    this.recorded = session;
    this.manifests = manifests;
  }

  async targets(): Promise<readonly TargetView[]> {
    return [this.recorded.targetView()];
  }

  addTarget(): Result<void, Refusal> {
    return err(refusal);
  }

  async removeTarget(): Promise<Result<void, Refusal>> {
    return err(refusal);
  }

  probes(): readonly ProbeManifest[] {
    return this.manifests;
  }

  async preflight(targetId: string): Promise<Result<Preflight, Refusal>> {
    return ok({ targetId, canTrace: false, checks: [] });
  }

  async devices(): Promise<Result<readonly VfioDevice[], Refusal>> {
    return ok([]);
  }

  async plans(): Promise<Result<readonly Plan[], Refusal>> {
    return ok([]);
  }

  async startRun(): Promise<Result<RunView, Refusal>> {
    return err(refusal);
  }

  async stopRun(): Promise<Result<RunView, Refusal>> {
    return err(refusal);
  }

  runs(): readonly RunView[] {
    return this.recorded.view().runs;
  }

  sessions(): readonly SessionSource[] {
    return [this.recorded];
  }

  async session(): Promise<Result<SessionSource, Refusal>> {
    return ok(this.recorded);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever plays the journal stops playing it.
  }
}
