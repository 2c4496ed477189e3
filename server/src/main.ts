/** The program: reads the command line, puts the parts together, runs the command, and sets the exit status. */
import { constants } from 'node:os';
import { pino } from 'pino';
import { chooseStreams, usageStatus } from './cli/arguments.ts';
import { lab as labCommand } from './cli/lab.ts';
import { compare } from './cli/compare.ts';
import { labCompare } from './cli/lab-compare.ts';
import { labThread } from './cli/lab-thread.ts';
import { doctor } from './cli/doctor.ts';
import { exportSession, importFile } from './cli/export.ts';
import { fittingStreams } from './cli/fitting-streams.ts';
import { openStore } from './cli/open-store.ts';
import { type Request, readCommandLine } from './cli/program.ts';
import { record } from './cli/record.ts';
import { replay } from './cli/replay.ts';
import { serve } from './cli/serve.ts';
import type { SessionWords } from './cli/session-words.ts';
import { sessions } from './cli/sessions.ts';
import { summary } from './cli/summary.ts';
import { complaint, processTerminal, type Terminal } from './cli/terminal.ts';
import { LabDesk } from './lab/lab-desk.ts';
import { faultPathRuns } from './lab/open-guest.ts';
import { openTracer } from './sessions/open-tracer.ts';
import type { Store } from './sessions/store.ts';
import { faultlineVersion } from './sessions/session.ts';
import type { Tracer } from './sessions/tracer.ts';

/** A signal that comes this soon after another is the same one: the terminal sends it, and npm passes it on too, ms. */
const sameSignalMs = 500;

process.title = 'faultline';
const terminal = processTerminal();
const request = readCommandLine(process.argv.slice(2), process.env, terminal, faultlineVersion);
process.exitCode = request.kind === 'said' ? request.status : await run(request, terminal);

type Tracing = Exclude<Request, { kind: 'said' | 'sessions' | 'compare' }>;

async function run(asked: Exclude<Request, { kind: 'said' }>, screen: Terminal): Promise<number> {
  if (asked.kind === 'sessions') return runOnSessions(asked.words, screen);
  if (asked.kind === 'compare') return compare(asked.words, screen);
  const store = await storeFor(asked, screen);
  if (store === 'refused') return 1;
  await using recording = store === 'none' ? undefined : store;
  // A comparison records run by run, not all that goes on in a guest.
  const record =
    asked.kind === 'lab-compare' || asked.kind === 'lab-thread' ? undefined : recording?.record.bind(recording);
  const opened = await openTracer({ ...asked.bpftrace, record });
  if (!opened.ok) {
    const { file, message } = opened.error;
    screen.err(complaint(`${file}: ${message}`, 'Correct the manifest, or move the folder of this probe away.'));
    return 1;
  }
  await using tracer = opened.value;
  return await runWith(tracer, asked, screen, recording);
}

/** Commands that trace record what they trace; a server is the only one of its store. */
function storeFor(asked: Tracing, screen: Terminal): ReturnType<typeof openStore> {
  const faultline = faultlineVersion;
  switch (asked.kind) {
    case 'serve':
      return openStore(asked.store, { role: 'server', faultline }, screen);
    case 'record':
      return openStore(asked.store, { role: 'single', faultline, label: asked.label }, screen);
    case 'lab': {
      const isTraced = asked.words.command === 'boot' || asked.words.command === 'run';
      return openStore(isTraced ? asked.store : undefined, { role: 'single', faultline }, screen);
    }
    case 'lab-compare':
    case 'lab-thread':
      return openStore(asked.store, { role: 'single', faultline, isMeasuring: true }, screen);
    case 'doctor':
      return Promise.resolve('none' as const);
  }
}

async function runWith(tracing: Tracer, asked: Tracing, screen: Terminal, store: Store | undefined): Promise<number> {
  switch (asked.kind) {
    case 'doctor':
      return doctor(tracing, asked, screen);
    case 'serve': {
      const logger = makeLogger();
      await using lab = new LabDesk({
        tracing,
        probes: tracing.catalogue,
        bpftrace: asked.bpftrace.bpftrace,
        runs: faultPathRuns(tracing.probes()),
        clock: () => Date.now(),
        library: store?.library,
      });
      const surroundings = { terminal: screen, logger, version: faultlineVersion, stopping: onSignal(), lab, store };
      return await serve(tracing, asked.serve, surroundings);
    }
    case 'record': {
      const runs = chooseStreams(asked, tracing.probes());
      if (runs.ok) {
        // What was asked for by name must run; of everything, what can.
        const chosen = asked.probes === undefined ? (await fittingStreams(tracing, runs.value)).fitting : runs.value;
        return record(tracing, { ...asked, runs: chosen }, { terminal: screen, interrupted: onSignal() });
      }
      screen.err(complaint(runs.error.message, runs.error.remedy));
      return usageStatus;
    }
    case 'lab':
      return labCommand(asked.words, {
        tracing,
        probes: tracing.catalogue,
        terminal: screen,
        interrupted: onSignal(),
        library: store?.library,
      });
    case 'lab-compare': {
      const surroundings = { tracing, probes: tracing.catalogue, terminal: screen, interrupted: onSignal(), store };
      return labCompare(asked.words, surroundings);
    }
    case 'lab-thread': {
      const surroundings = { tracing, probes: tracing.catalogue, terminal: screen, interrupted: onSignal(), store };
      return labThread(asked.words, surroundings);
    }
  }
}

/** Commands about what was recorded need no bpftrace. */
async function runOnSessions(words: SessionWords, screen: Terminal): Promise<number> {
  switch (words.command) {
    case 'summary':
      return summary(words, screen);
    case 'export':
      return exportSession(words, screen, process.stdout);
    case 'import':
      return importFile(words, screen);
    case 'replay':
      return replay(words, { terminal: screen, logger: makeLogger(), version: faultlineVersion, stopping: onSignal() });
    default:
      return sessions(words, screen, () => Date.now());
  }
}

/** What breaks inside goes to stderr, at once. */
function makeLogger(): ReturnType<typeof pino> {
  return pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
}

/** Aborted by the first signal to end; a second one ends the process at once (bpftrace dies of its closed pipe). */
function onSignal(): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      const nowMs = performance.now();
      if (!controller.signal.aborted) {
        firstMs = nowMs;
        controller.abort();
      } else if (nowMs - firstMs > sameSignalMs) process.exit(128 + constants.signals[name]);
    });
  }
  return controller.signal;
}
