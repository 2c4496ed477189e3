/** The page's one store: follows a session, keeps what the server said, and says at a calm pace that there is news. */
import {
  type BootLab,
  type LabView,
  type LiveSession,
  type Problem,
  type Result,
  type RunView,
  type StartRun,
  type StartWorkload,
  sessionClock,
} from '@faultline/shared';
import { type AppState, type Shown, emptyAppState, withEntry } from './app-state.ts';
import { Cadence } from './cadence.ts';
import { ComparisonsStore } from './comparisons-store.ts';
import { FollowedSession } from './followed-session.ts';
import { newestKernelNs } from './freshness.ts';
import type { Loaded } from './loaded.ts';
import { MatrixStore } from './matrix-store.ts';
import type { PageStore } from './page-store.ts';
import { PaintLatency } from './paint-latency.ts';
import type { Ports } from './ports.ts';
import { RecordedDesk } from './recorded-desk.ts';
import { type LiveColumn, isSideBySide, liveColumns, sideBySide, targetIdIn } from './side-by-side.ts';

/** Figures are drawn at most this often, ms: 4 Hz, what an eye can follow. */
const publishIntervalMs = 230;
/** Panels follow a brush that is being moved this often, ms. */
const moveIntervalMs = 120;
/** How often the store looks whether there is something to draw, ms. */
const lookIntervalMs = 50;
/** Ages and states are drawn at least this often, ms. */
const idlePublishIntervalMs = 1_000;
/** How often sessions and targets are asked for, ms: others may start and stop them. */
const refreshIntervalMs = 3_000;

/** How often the lab is asked while something moves in it, ms. */
const labIntervalMs = 1_000;

/** Owns the feeds and the timers from start() to disposal. */
export class AppStore implements Disposable {
  readonly page: PageStore;
  readonly cadence: Cadence;
  readonly paint: PaintLatency;
  readonly recorded: RecordedDesk;
  readonly comparisons: ComparisonsStore;
  readonly matrix: MatrixStore;
  private readonly ports: Ports;
  private app: AppState = emptyAppState;
  private followed: Readonly<Record<LiveColumn, FollowedSession>>;
  private shown: Readonly<Record<LiveColumn, Shown>>;
  private publishedAtMs = 0;
  private hasNews = true;
  private isRefreshing = false;
  /** Guests whose boot was asked for on this page and is still under way. */
  private readonly awaited = new Set<string>();
  private readonly stops: (() => void)[] = [];

  constructor(ports: Ports, page: PageStore) {
    this.ports = ports;
    this.page = page;
    this.paint = new PaintLatency(ports.nowMs);
    this.cadence = new Cadence(ports.frames, () => ports.afterPaint(() => this.paint.painted()));
    this.recorded = new RecordedDesk(ports, page, () => this.change({ recordings: this.recorded.recordings.state }));
    this.comparisons = new ComparisonsStore(ports.comparisons, page.get, () =>
      this.change({ comparisons: this.comparisons.state }),
    );
    const changed = (): void => this.change({ matrix: this.matrix.state });
    this.matrix = new MatrixStore(ports.comparisons, { page: page.get, nowMs: ports.nowMs, changed });
    this.followed = { left: this.followedSession(), right: this.followedSession() };
    this.shown = this.look();
  }

  /** What views are computed from; the same object until the next round. */
  readonly get = (): Shown => this.shown.left;

  /** As get, of a column; without a second target both are the same. */
  readonly shownIn: Readonly<Record<LiveColumn, () => Shown>> = { left: this.get, right: () => this.shown.right };

  /** The session of a column as of this very moment, also where the page is paused: for tests and measurements, not for views. */
  current(column: LiveColumn = 'left'): LiveSession | undefined {
    return this.shown[column].recorded === undefined ? this.followed[column].live : this.look()[column].session;
  }

  /** Begins: asks the server, follows the session of the chosen target, keeps both up to date. */
  start(): void {
    this.stops.push(
      this.page.subscribe(() => {
        this.follow();
        this.recorded.follow();
        this.comparisons.follow();
        this.matrix.follow();
        if (this.page.isMoving) this.hasNews = true;
        else this.publish('all');
      }),
      this.ports.every(lookIntervalMs, () => this.publishWhenDue()),
      this.ports.every(refreshIntervalMs, () => void this.refresh()),
      this.ports.every(labIntervalMs, () => {
        if (this.isLabMoving()) void this.refreshLab();
      }),
      this.ports.every(labIntervalMs, () => this.matrix.follow()),
      ...this.recorded.start(this.ports.every),
    );
    void this.refresh();
    this.comparisons.follow();
    this.matrix.follow();
  }

  [Symbol.dispose](): void {
    for (const stop of this.stops) stop();
    for (const column of liveColumns) this.followed[column][Symbol.dispose]();
  }

  /** Asks which sessions and targets there are, and everything not known yet. */
  async refresh(): Promise<void> {
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    const { http } = this.ports;
    const [targets, sessions, probes] = await Promise.all([
      http.targets(),
      http.sessions(),
      this.app.manifests.length > 0 ? { ok: true as const, value: this.app.manifests } : http.probes(),
    ]);
    this.isRefreshing = false;
    if (!targets.ok) return this.unreachable(targets.error);
    if (!sessions.ok) return this.unreachable(sessions.error);
    if (!probes.ok) return this.unreachable(probes.error);
    void this.refreshLab();
    this.change({ targets: targets.value, sessions: sessions.value, manifests: probes.value });
    for (const column of liveColumns) this.followed[column].forgetRefused();
    this.follow();
    for (const column of liveColumns) {
      const targetId = targetIdIn(column, this.app, this.page.get());
      if (this.app.targets.some(({ id }) => id === targetId) && targetId !== undefined)
        await this.inspect(targetId, 'once');
    }
  }

  /** Asks what can run on a target and why not the rest; `again` also where it is known already. */
  async inspect(targetId: string, again: 'again' | 'once'): Promise<void> {
    if (again === 'once' && this.app.plans.has(targetId)) return;
    const loading = { kind: 'loading' } as const;
    this.change({
      plans: withEntry(this.app.plans, targetId, loading),
      preflights: withEntry(this.app.preflights, targetId, loading),
    });
    const { http } = this.ports;
    const devices = await http.devices(targetId);
    if (devices.ok) this.change({ devices: withEntry(this.app.devices, targetId, devices.value) });
    const preflight = http.preflight(targetId);
    const plans = await http.plans(targetId);
    this.change({ plans: withEntry(this.app.plans, targetId, loaded(plans)) });
    const checks = await preflight;
    this.change({ preflights: withEntry(this.app.preflights, targetId, loaded(checks)) });
  }

  /** Boots a kernel of the lab; once it is up it is the target looked at, if its page still is. */
  async bootKernel(request: BootLab): Promise<void> {
    await this.command(`boot ${request.kernel}`, async () => {
      const answer = await this.ports.http.bootKernel(request);
      if (answer.ok) this.awaited.add(answer.value.id);
      return answer;
    });
  }

  /** Ends a guest. */
  async stopMachine(machineId: string): Promise<void> {
    await this.command(`lab ${machineId}`, () => this.ports.http.stopMachine(machineId));
  }

  /** Runs a workload in a guest. */
  async runWorkload(machineId: string, request: StartWorkload): Promise<void> {
    await this.command(`lab ${machineId}`, () => this.ports.http.runWorkload(machineId, request));
  }

  /** Starts one stream. The answer of the server is kept under `start probe/stream`. */
  async startRun(run: StartRun): Promise<void> {
    await this.command(`start ${run.probe}/${run.stream ?? ''}`, () => this.ports.http.startRun(run));
  }

  /** Stops one run. The answer of the server is kept under `stop id`. */
  async stopRun(runId: string): Promise<void> {
    await this.command(`stop ${runId}`, () => this.ports.http.stopRun(runId));
  }

  /** Starts every default stream that can attach on a target, one after the other. */
  async startDefaults(targetId: string): Promise<void> {
    const plans = this.app.plans.get(targetId);
    const cannot = plans?.kind === 'ready' ? plans.value.filter(({ chosen }) => chosen === undefined) : [];
    for (const manifest of this.app.manifests) {
      for (const stream of manifest.streams.filter(({ isDefault }) => isDefault)) {
        if (cannot.some((plan) => plan.probe === manifest.name && plan.stream === stream.name)) continue;
        await this.startRun({ targetId, probe: manifest.name, stream: stream.name });
      }
    }
  }

  /** Stops a run and starts its stream again with other parameters: one process instead of all. */
  async restart(targetId: string, run: RunView, parameters: Readonly<Record<string, number>>): Promise<void> {
    await this.stopRun(run.id);
    await this.startRun({
      targetId,
      probe: run.probe,
      stream: run.stream,
      parameters: { ...run.parameters, ...parameters },
    });
  }

  /** Stops everything that runs in the session of a column, at once. */
  async stopAll(column: LiveColumn): Promise<void> {
    const runs = this.followed[column].live?.view.runs ?? [];
    const running = runs.filter(({ state }) => state === 'running' || state === 'starting');
    await Promise.all(running.map(({ id }) => this.stopRun(id)));
  }

  /** Forgets why a command was refused. */
  dismiss(command: string): void {
    this.change({ commands: withEntry(this.app.commands, command, undefined) });
  }

  private async refreshLab(): Promise<void> {
    const lab = await this.ports.http.lab();
    this.change({ lab: loaded(lab) });
    if (lab.ok) this.lookAtAwaited(lab.value);
  }

  /** A guest booted here is what is waited for on the page of the lab; whoever has gone elsewhere stays there. */
  private lookAtAwaited({ machines }: LabView): void {
    for (const id of this.awaited) {
      const machine = machines.find((one) => one.id === id);
      if (machine?.state === 'preparing') continue;
      this.awaited.delete(id);
      const { targetId } = machine ?? {};
      if (targetId !== undefined && this.page.get().page === 'lab') this.page.set({ target: targetId });
    }
  }

  private isLabMoving(): boolean {
    const { lab } = this.app;
    if (lab?.kind !== 'ready') return false;
    const isOnTheWay = lab.value.machines.some(({ state }) => state === 'preparing' || state === 'stopping');
    return isOnTheWay || lab.value.workloadRuns.some(({ state }) => state === 'running');
  }

  private async command(name: string, send: () => Promise<Result<unknown, Problem>>): Promise<void> {
    this.change({ commands: withEntry(this.app.commands, name, { kind: 'pending' }) });
    const answer = await send();
    const failed = answer.ok ? undefined : ({ kind: 'failed', problem: answer.error } as const);
    this.change({ commands: withEntry(this.app.commands, name, failed) });
    await this.refresh();
  }

  private unreachable(problem: Problem): void {
    for (const column of liveColumns) this.followed[column].unreachable(problem);
  }

  private change(part: Partial<AppState>): void {
    this.app = { ...this.app, ...part };
    this.publish('all');
  }

  /** Follows the targets that are looked at: one, or one in each column. */
  private follow(): void {
    const page = this.page.get();
    // Columns that are swapped keep their figures, and how far they go back.
    const { left, right } = this.followed;
    const wanted = targetIdIn('left', this.app, page);
    if (wanted !== undefined && wanted === right.targetId) this.followed = { left: right, right: left };
    for (const column of liveColumns) {
      const targetId = targetIdIn(column, this.app, page);
      if (targetId === undefined) {
        if (column === 'right') this.followed.right.leave();
        continue;
      }
      this.followed[column].follow({
        targetId,
        isThere: this.app.targets.some(({ id }) => id === targetId),
        session: this.app.sessions.find(({ target }) => target.id === targetId),
      });
    }
  }

  private followedSession(): FollowedSession {
    return new FollowedSession({
      ports: this.ports,
      manifests: () => this.app.manifests,
      linked: () => this.publish('all'),
      came: (session, header) => {
        if (!this.page.get().isPaused) this.paint.took(session, header);
        this.hasNews = true;
        this.publishWhenDue();
      },
    });
  }

  private publishWhenDue(): void {
    const sinceMs = this.ports.nowMs() - this.publishedAtMs;
    // A hand on the brush wants to see where it is; a session that plays goes at the pace of a live one.
    const isPulled = this.page.isMoving && !this.recorded.player.isPlaying;
    const intervalMs = isPulled ? moveIntervalMs : publishIntervalMs;
    if (sinceMs >= (this.hasNews ? intervalMs : idlePublishIntervalMs)) this.publish('usual');
  }

  private publish(extent: 'usual' | 'all'): void {
    this.hasNews = false;
    this.publishedAtMs = this.ports.nowMs();
    this.shown = this.look();
    this.paint.publishing();
    this.cadence.publish(extent);
  }

  private look(): Readonly<Record<LiveColumn, Shown>> {
    const left = this.lookAt('left');
    if (isSideBySide(this.page.get())) return sideBySide(left, this.lookAt('right'));
    const shown = this.recorded.over(left);
    return { left: shown, right: shown };
  }

  private lookAt(column: LiveColumn): Shown {
    const page = this.page.get();
    const { live, link, dataAtMs } = this.followed[column];
    const session = this.followed[column].figures(page.isPaused);
    const targetId = targetIdIn(column, this.app, page);
    return {
      app: this.app,
      page,
      link,
      target: live?.view.target ?? this.app.targets.find(({ id }) => id === targetId),
      live,
      session,
      clock: session === undefined ? undefined : sessionClock(session.view),
      untilNs: session === undefined ? 0 : newestKernelNs(session),
      nowMs: this.ports.nowMs(),
      dataAtMs,
      recorded: undefined,
    };
  }
}

function loaded<T>(answer: Result<T, Problem>): Loaded<T> {
  return answer.ok ? { kind: 'ready', value: answer.value } : { kind: 'failed', problem: answer.error };
}
