/** The page's one store: follows a session, keeps what the server said, and says at a calm pace that there is news. */
import {
  type BootLab,
  type FrameHeader,
  type LabView,
  type LiveSession,
  type Problem,
  type Result,
  type RunView,
  type Snapshot,
  type StartRun,
  type StartWorkload,
  freezeLiveSession,
  openLiveSession,
  protocolVersion,
  sessionClock,
  takeFrame,
} from '@faultline/shared';
import { type AppState, type Link, type Shown, chooseTarget, emptyAppState, withEntry } from './app-state.ts';
import { Cadence } from './cadence.ts';
import { ComparisonsStore } from './comparisons-store.ts';
import { newestKernelNs } from './freshness.ts';
import type { Loaded } from './loaded.ts';
import type { PageStore } from './page-store.ts';
import { PaintLatency } from './paint-latency.ts';
import type { FeedPort, Ports } from './ports.ts';
import { RecordedDesk } from './recorded-desk.ts';

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

/** Problems that asking again does not solve. */
const reloadCures: readonly string[] = ['other-version', 'undecodable'];

type Followed = { readonly sessionId: string; readonly feed: FeedPort; isResyncing: boolean };

/** Owns the feed and the timers from start() to disposal. */
export class AppStore implements Disposable {
  readonly page: PageStore;
  readonly cadence: Cadence;
  readonly paint: PaintLatency;
  readonly recorded: RecordedDesk;
  readonly comparisons: ComparisonsStore;
  private readonly ports: Ports;
  private app: AppState = emptyAppState;
  private live: LiveSession | undefined;
  private frozen: LiveSession | undefined;
  private followed: Followed | undefined;
  private shown: Shown;
  private dataAtMs: number | undefined;
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
    this.shown = this.look();
  }

  /** What views are computed from; the same object until the next round. */
  readonly get = (): Shown => this.shown;

  /** The session as of this very moment, also where the page is paused: for tests and measurements, not for views. */
  current(): LiveSession | undefined {
    return this.shown.recorded === undefined ? this.live : this.look().session;
  }

  /** Begins: asks the server, follows the session of the chosen target, keeps both up to date. */
  start(): void {
    this.stops.push(
      this.page.subscribe(() => {
        this.follow();
        this.recorded.follow();
        this.comparisons.follow();
        if (this.page.isMoving) this.hasNews = true;
        else this.publish('all');
      }),
      this.ports.every(lookIntervalMs, () => this.publishWhenDue()),
      this.ports.every(refreshIntervalMs, () => void this.refresh()),
      this.ports.every(labIntervalMs, () => {
        if (this.isLabMoving()) void this.refreshLab();
      }),
      ...this.recorded.start(this.ports.every),
    );
    void this.refresh();
    this.comparisons.follow();
  }

  [Symbol.dispose](): void {
    for (const stop of this.stops) stop();
    this.followed?.feed.close();
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
    this.forgetRefused();
    this.follow();
    const target = chooseTarget(this.app, this.page.get().target);
    if (target !== undefined) await this.inspect(target.id, 'once');
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
  async restart(run: RunView, parameters: Readonly<Record<string, number>>): Promise<void> {
    const target = this.live?.view.target;
    if (target === undefined) return;
    await this.stopRun(run.id);
    await this.startRun({
      targetId: target.id,
      probe: run.probe,
      stream: run.stream,
      parameters: { ...run.parameters, ...parameters },
    });
  }

  /** Stops everything that runs in the session looked at, at once. */
  async stopAll(): Promise<void> {
    const running = this.live?.view.runs.filter(({ state }) => state === 'running' || state === 'starting') ?? [];
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

  /** A refusal may pass (too many pages open, the session ended); one that only a reload cures does not. */
  private forgetRefused(): void {
    const { link } = this.app;
    if (link.kind !== 'refused' || reloadCures.includes(link.problem.error)) return;
    this.followed?.feed.close();
    this.followed = undefined;
  }

  private unreachable(problem: Problem): void {
    if (this.live === undefined) this.change({ link: { kind: 'unreachable', problem } });
  }

  private change(part: Partial<AppState>): void {
    this.app = { ...this.app, ...part };
    this.publish('all');
  }

  private link(link: Link): void {
    this.change({ link });
  }

  private follow(): void {
    const target = chooseTarget(this.app, this.page.get().target);
    if (target === undefined) return;
    const session = this.app.sessions.find((view) => view.target.id === target.id);
    if (session?.id === this.followed?.sessionId) {
      if (session === undefined && this.app.link.kind !== 'no-session') this.link({ kind: 'no-session' });
      return;
    }
    this.followed?.feed.close();
    this.followed = undefined;
    this.live = undefined;
    this.frozen = undefined;
    this.dataAtMs = undefined;
    if (session === undefined) return this.link({ kind: 'no-session' });
    this.link({ kind: 'connecting' });
    this.open(session.id);
  }

  private open(sessionId: string): void {
    const isStale = (): boolean => this.followed?.sessionId !== sessionId;
    const feed = this.ports.openFeed(sessionId, {
      connected: () => undefined,
      disconnected: () => {
        if (isStale() || this.app.link.kind === 'lost' || this.app.link.kind === 'refused') return;
        this.link({ kind: 'lost', sinceMs: this.ports.nowMs() });
      },
      snapshot: (snapshot, received) => {
        if (!isStale()) this.takeSnapshot(snapshot);
        received();
      },
      frame: (header, bytes, received) => {
        if (!isStale()) this.takeFrame(header, bytes);
        received();
      },
      refused: (problem) => {
        if (!isStale()) this.link({ kind: 'refused', problem });
      },
    });
    this.followed = { sessionId, feed, isResyncing: false };
  }

  private takeSnapshot(snapshot: Snapshot): void {
    if (snapshot.protocolVersion !== protocolVersion) {
      const message = `The server was updated (${snapshot.serverVersion}) and speaks another version than this page.`;
      return this.link({ kind: 'refused', problem: { error: 'other-version', message, remedy: 'Reload the page.' } });
    }
    try {
      this.live = openLiveSession(snapshot, this.app.manifests, this.live);
    } catch (error) {
      return this.link({ kind: 'refused', problem: undecodable(error) });
    }
    if (this.followed !== undefined) this.followed.isResyncing = false;
    this.dataAtMs = this.ports.nowMs();
    this.link({ kind: 'live' });
  }

  private takeFrame(header: FrameHeader, bytes: ArrayBuffer | Uint8Array): void {
    if (this.live === undefined || this.followed === undefined || this.followed.isResyncing) return;
    try {
      const outcome = takeFrame(this.live, this.app.manifests, header, bytes);
      if (outcome === 'gap') {
        this.followed.isResyncing = true;
        this.followed.feed.resync();
      }
      if (outcome !== 'taken') return;
    } catch (error) {
      return this.link({ kind: 'refused', problem: undecodable(error) });
    }
    if (header.slices.length > 0) this.dataAtMs = this.ports.nowMs();
    if (!this.page.get().isPaused) this.paint.took(this.live, header);
    this.hasNews = true;
    this.publishWhenDue();
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

  private look(): Shown {
    const page = this.page.get();
    if (!page.isPaused) this.frozen = undefined;
    else if (this.frozen === undefined && this.live !== undefined) this.frozen = freezeLiveSession(this.live);
    const session = this.frozen ?? this.live;
    return this.recorded.over({
      app: this.app,
      page,
      target: this.live?.view.target ?? chooseTarget(this.app, page.target),
      live: this.live,
      session,
      clock: session === undefined ? undefined : sessionClock(session.view),
      untilNs: session === undefined ? 0 : newestKernelNs(session),
      nowMs: this.ports.nowMs(),
      dataAtMs: this.dataAtMs,
      recorded: undefined,
    });
  }
}

function undecodable(error: unknown): Problem {
  return {
    error: 'undecodable',
    message: `The server sent something that this page cannot decode (${String(error)}).`,
    remedy: 'Reload the page: its probes may have changed while it was open.',
  };
}

function loaded<T>(answer: Result<T, Problem>): Loaded<T> {
  return answer.ok ? { kind: 'ready', value: answer.value } : { kind: 'failed', problem: answer.error };
}
