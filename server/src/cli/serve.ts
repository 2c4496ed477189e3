/** `faultline serve`: the server with its page, tracing from the start, until a signal ends it in order. */
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { RunView, StartRun, TargetView } from '@faultline/shared';
import type { FastifyBaseLogger } from 'fastify';
import { buildApp } from '../http/app.ts';
import { type Access, isLoopback, makeToken, printable } from '../http/auth.ts';
import type { Lab } from '../lab/lab-desk.ts';
import type { Library } from '../sessions/library.ts';
import type { Store } from '../sessions/store.ts';
import type { Tracing } from '../sessions/tracing.ts';
import { defaultStreams, type UsageError, usageStatus } from './arguments.ts';
import { fittingStreams } from './fitting-streams.ts';
import { describeTarget } from './doctor.ts';
import { listen } from './listen.ts';
import { complaint, type Terminal } from './terminal.ts';

/** What `serve` was told. */
export type ServeRequest = {
  /** Undefined: the default port or the next free one. */
  readonly port: number | undefined;
  readonly host: string;
  /** From --token or FAULTLINE_TOKEN. */
  readonly token: string | undefined;
  readonly allowedHosts: readonly string[];
  /** Kernels to boot in the lab at once. */
  readonly labKernels: readonly string[];
  /** The file of the matrix of comparisons that is shown, an absolute path; undefined: none is. */
  readonly matrixFile: string | undefined;
  /** What to start with: this host, the recorded sample, or nothing. */
  readonly start: 'host' | 'replay' | 'nothing';
};

/** What `serve` needs besides. */
export type ServeSurroundings = {
  readonly terminal: Terminal;
  readonly logger: FastifyBaseLogger;
  readonly version: string;
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stopping: AbortSignal;
  readonly lab?: Lab;
  /** What was recorded; absent where nothing is. */
  readonly library?: Library | undefined;
  /** Where what is traced is recorded; its bounds can be set then. */
  readonly store?: Store | undefined;
  /** The built page; default: that of this installation. */
  readonly pageFolder?: string;
};

/** Serves until told to stop; exit status 0 then, 1 when it cannot listen, 2 for a kernel that the lab has not. Stops tracing, whoever owns it disposes it. */
export async function serve(tracing: Tracing, request: ServeRequest, surroundings: ServeSurroundings): Promise<number> {
  const { terminal, stopping } = surroundings;
  const unknown = await unknownKernels(surroundings.lab, request.labKernels);
  if (unknown !== undefined) {
    terminal.err(complaint(unknown.message, unknown.remedy));
    return usageStatus;
  }
  const access = accessOf(request);
  const { app, isPageBuilt } = await buildApp({
    tracing,
    access,
    version: surroundings.version,
    pageFolder: surroundings.pageFolder ?? fileURLToPath(new URL('../../../web/dist', import.meta.url)),
    matrixFile: request.matrixFile,
    logger: surroundings.logger,
    stopping,
    lab: surroundings.lab,
    library: surroundings.library ?? surroundings.store?.library,
    store: surroundings.store,
  });
  try {
    const port = await listen(app, { host: request.host, asked: request.port });
    if (!port.ok) {
      terminal.err(complaint(port.error.message, port.error.remedy));
      return 1;
    }
    const [url, ...others] = urlsOf(access, port.value);
    terminal.out(`Faultline ${surroundings.version}: ${url}\n`);
    for (const other of others) terminal.out(`  from elsewhere: ${other}\n`);
    if (!isPageBuilt) terminal.err(`${pageIsMissing}\n`);
    const { matrixFile } = request;
    if (matrixFile !== undefined && !existsSync(matrixFile))
      terminal.err(complaint(`there is no file ${matrixFile} for --matrix`, 'The page shows it once there is one.'));
    await bootAll(surroundings.lab, request.labKernels, terminal);
    await traceUntil(stopping, tracing, request.start, terminal, surroundings.lab);
    return 0;
  } finally {
    await app.close();
  }
}

const pageIsMissing = 'faultline: the page is not built (pnpm build); meanwhile there is /api/docs/';

/** Starts what is to run, says what becomes of it, and on the signal stops all of it in order. */
async function traceUntil(
  stopping: AbortSignal,
  tracing: Tracing,
  start: ServeRequest['start'],
  terminal: Terminal,
  lab: Lab | undefined,
): Promise<void> {
  const watcher = new RunWatcher(tracing, terminal, lab);
  try {
    const begun = begin(tracing, start, terminal, stopping);
    watcher.start();
    await Promise.all([begun, aborted(stopping)]);
    terminal.err('stopping (once more to force it) …\n');
    await lab?.[Symbol.asyncDispose]();
    await tracing[Symbol.asyncDispose]();
    watcher.look();
  } finally {
    watcher.stop();
  }
}

/** What is wrong with the kernels that shall be booted, before anything begins; undefined where nothing is. */
async function unknownKernels(lab: Lab | undefined, asked: readonly string[]): Promise<UsageError | undefined> {
  if (asked.length === 0) return undefined;
  const view = await lab?.view();
  const known = view?.ok === true ? view.value.kernels.map(({ name }) => name) : [];
  const unknown = asked.find((kernel) => view?.ok === true && !known.includes(kernel));
  if (unknown === undefined) return undefined;
  return { message: `the lab has no kernel ${JSON.stringify(unknown)}`, remedy: `It has: ${known.join(', ')}.` };
}

/** Begins to boot the guests that were asked for; what becomes of them is said as it happens. */
async function bootAll(lab: Lab | undefined, kernels: readonly string[], terminal: Terminal): Promise<void> {
  for (const kernel of kernels) {
    const machine = await lab?.boot({ kernel });
    if (machine?.ok === false) terminal.err(complaint(machine.error.message, machine.error.remedy));
  }
}

/** Beyond loopback there is always a token. */
function accessOf(request: ServeRequest): Access {
  const token = request.token ?? (isLoopback(request.host) ? undefined : makeToken());
  return { host: request.host, allowedHosts: request.allowedHosts, token };
}

/**
 * What to open: bound to all addresses, loopback first and then this machine's others. The token is in the fragment,
 * which browsers keep to themselves.
 */
function urlsOf({ host, token }: Access, port: number): readonly string[] {
  const fragment = token === undefined ? '' : `#token=${encodeURIComponent(token)}`;
  const isWildcard = host === '0.0.0.0' || host === '::';
  const hosts = isWildcard ? ['127.0.0.1', ...ownAddresses(host)] : [host];
  return hosts.map((one) => `http://${printable(one)}:${port}/${fragment}`);
}

/** Addresses by which other machines may reach this one; link-local ones need a zone and are left out. */
function ownAddresses(wildcard: string): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .filter(({ family }) => wildcard === '::' || family === 'IPv4')
    .map(({ address }) => address);
}

/** Starts what runs by default on the chosen target and on every machine over ssh, or says why it can't. */
async function begin(
  tracing: Tracing,
  start: ServeRequest['start'],
  terminal: Terminal,
  stopping: AbortSignal,
): Promise<void> {
  if (start === 'nothing') return;
  const targets = await tracing.targets();
  const chosen = targets.filter(({ kind }) => kind === start);
  if (chosen.length === 0) {
    const remedy = start === 'replay' ? 'The recorded samples are in probes/*/; restore them.' : 'Start with --replay.';
    terminal.err(complaint(`there is no ${start} target here`, remedy));
  }
  const machines = targets.filter(({ kind }) => kind === 'ssh');
  for (const target of [...chosen, ...machines]) await beginOn(tracing, target, terminal, stopping);
}

async function beginOn(tracing: Tracing, target: TargetView, terminal: Terminal, stopping: AbortSignal): Promise<void> {
  const canTrace = await sayWhetherItTraces(tracing, target, terminal);
  if (!canTrace) return;
  const { fitting, others } = await fittingStreams(tracing, defaultStreams(target.id, tracing.probes()));
  for (const run of fitting) {
    if (!stopping.aborted) await startOne(tracing, run, terminal);
  }
  if (others.length === 0) return;
  const names = [...new Set(others.map(({ probe }) => probe))].join(', ');
  terminal.err(`  not on this kernel (the Probes page says why): ${names}\n`);
  terminal.err('    → the Lab page boots a kernel that can, or start with --lab 6.1\n');
}

async function sayWhetherItTraces(tracing: Tracing, target: TargetView, terminal: Terminal): Promise<boolean> {
  const preflight = await tracing.preflight(target.id);
  if (preflight.ok && preflight.value.canTrace) {
    terminal.err(`tracing ${describeTarget(target)}\n`);
    return true;
  }
  terminal.err(`faultline: can't trace ${describeTarget(target)}\n`);
  if (!preflight.ok) terminal.err(`  ${preflight.error.message}: ${preflight.error.remedy}\n`);
  else {
    for (const { status, title, found, remedy, command } of preflight.value.checks) {
      if (status !== 'failed') continue;
      terminal.err(`  ${title}: ${found}\n${remedy === undefined ? '' : `    → ${remedy}\n`}`);
      if (command !== undefined) terminal.err(`    $ ${command}\n`);
    }
  }
  if (target.kind === 'host') {
    terminal.err('The page is up and offers a recorded sample instead (or start with --replay).\n');
  }
  return false;
}

async function startOne(tracing: Tracing, request: StartRun, terminal: Terminal): Promise<void> {
  const run = await tracing.startRun(request);
  if (run.ok) return;
  terminal.err(
    `  ${request.probe}:${request.stream ?? ''} not started: ${run.error.message}\n    → ${run.error.remedy}\n`,
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Says on the terminal what becomes of runs: who only sees the terminal must learn of a killed bpftrace too. */
class RunWatcher {
  readonly #tracing: Tracing;
  readonly #terminal: Terminal;
  readonly #lab: Lab | undefined;
  readonly #told = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tracing: Tracing, terminal: Terminal, lab: Lab | undefined) {
    this.#tracing = tracing;
    this.#terminal = terminal;
    this.#lab = lab;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), 500);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  look(): void {
    void this.#lookAtLab();
    for (const run of this.#tracing.runs()) {
      if (this.#told.get(run.id) === run.state) continue;
      this.#told.set(run.id, run.state);
      this.#tell(run);
    }
  }

  async #lookAtLab(): Promise<void> {
    const view = await this.#lab?.view();
    for (const { id, kernel, stage, problem, remedy } of view?.ok === true ? view.value.machines : []) {
      if (this.#told.get(id) === stage) continue;
      this.#told.set(id, stage);
      const why = problem === undefined ? '' : `: ${problem}\n    → ${remedy ?? ''}`;
      this.#terminal.err(`  lab ${kernel}: ${stage}${why}\n`);
    }
  }

  #tell({ probe, stream, variant, state, failure }: RunView): void {
    if (state === 'running') this.#terminal.err(`  ${probe}:${stream} running (${variant})\n`);
    if (state === 'stopped') this.#terminal.err(`  ${probe}:${stream} stopped\n`);
    if (state !== 'failed') return;
    this.#terminal.err(`  FAILED: ${failure?.message ?? `${probe}:${stream}, for an unknown reason`}\n`);
    if (failure !== undefined) this.#terminal.err(`    → ${failure.remedy}\n`);
  }
}
