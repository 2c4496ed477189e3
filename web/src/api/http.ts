/** Commands and questions to the server, by HTTP. Every answer is checked against its schema before it gets in. */
import {
  type BootLab,
  type LabMachine,
  LabMachineSchema,
  type LabView,
  LabViewSchema,
  type LabWorkloadRun,
  LabWorkloadRunSchema,
  type Plan,
  PlanSchema,
  type Preflight,
  PreflightSchema,
  type ProbeManifest,
  ProbeManifestSchema,
  type Problem,
  ProblemSchema,
  type Result,
  type RunView,
  RunViewSchema,
  type SessionView,
  SessionViewSchema,
  type StartRun,
  type StartWorkload,
  type TargetView,
  TargetViewSchema,
  type VfioDevice,
  VfioDeviceSchema,
  err,
  ok,
  readAnswer,
  readAnswers,
} from '@faultline/shared';

type Answer<T> = Promise<Result<T, Problem>>;

/** Checks what came as JSON: the thing itself, or a sentence on what is wrong with it. */
type Reader<T> = (answer: unknown) => Result<T, string>;

/** What the page may ask of the server and tell it to do. */
export type Http = {
  readonly targets: () => Answer<readonly TargetView[]>;
  readonly probes: () => Answer<readonly ProbeManifest[]>;
  readonly sessions: () => Answer<readonly SessionView[]>;
  readonly preflight: (targetId: string) => Answer<Preflight>;
  readonly plans: (targetId: string) => Answer<readonly Plan[]>;
  readonly startRun: (run: StartRun) => Answer<RunView>;
  readonly stopRun: (runId: string) => Answer<RunView>;
  readonly devices: (targetId: string) => Answer<readonly VfioDevice[]>;
  readonly lab: () => Answer<LabView>;
  readonly bootKernel: (request: BootLab) => Answer<LabMachine>;
  readonly stopMachine: (machineId: string) => Answer<LabMachine>;
  readonly runWorkload: (machineId: string, request: StartWorkload) => Answer<LabWorkloadRun>;
};

/** How long an answer may take, ms: a stop waits for bpftrace to detach. */
const answerMaxMs = 20_000;

/** What is sent with a command. */
type Sent = { readonly json: unknown; readonly method?: 'DELETE' | 'PATCH' };

/** Asks the server at the page's own origin. */
export type Ask = <T>(read: Reader<T>, path: string, sent?: Sent) => Answer<T>;

/** The headers that go with every request: the token, where one is demanded. */
export function headersFor(token: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  return headers;
}

/** Asks by fetch, and checks what comes. */
export function createAsk(token: string | undefined): Ask {
  return async (read, path, sent) => {
    const headers = headersFor(token);
    const request: RequestInit = { headers, signal: AbortSignal.timeout(answerMaxMs), cache: 'no-store' };
    if (sent !== undefined) {
      // Whatever changes something must be JSON, a DELETE too: the server refuses it otherwise.
      headers['content-type'] = 'application/json';
      Object.assign(request, { method: sent.method ?? 'POST', body: JSON.stringify(sent.json) });
    }
    try {
      const response = await fetch(`/api/v1/${path}`, request);
      return readResponse(read, path, response.status, await response.text());
    } catch (error) {
      return err(unreachable(error));
    }
  };
}

/** Questions and commands about what is traced now. */
export function createHttp(token: string | undefined): Http {
  const ask = createAsk(token);
  const id = encodeURIComponent;
  return {
    targets: () => ask((answer) => readAnswers(TargetViewSchema, answer), 'targets'),
    probes: () => ask((answer) => readAnswers(ProbeManifestSchema, answer), 'probes'),
    sessions: () => ask((answer) => readAnswers(SessionViewSchema, answer), 'sessions'),
    preflight: (targetId) => ask((answer) => readAnswer(PreflightSchema, answer), `targets/${id(targetId)}/preflight`),
    plans: (targetId) => ask((answer) => readAnswers(PlanSchema, answer), `targets/${id(targetId)}/plans`),
    startRun: (run) => ask(readRun, 'runs', { json: run }),
    stopRun: (runId) => ask(readRun, `runs/${id(runId)}/stop`, { json: {} }),
    devices: (targetId) => ask((answer) => readAnswers(VfioDeviceSchema, answer), `targets/${id(targetId)}/devices`),
    lab: () => ask((answer) => readAnswer(LabViewSchema, answer), 'lab'),
    bootKernel: (request) => ask(readMachine, 'lab/machines', { json: request }),
    stopMachine: (machineId) => ask(readMachine, `lab/machines/${id(machineId)}`, { method: 'DELETE', json: {} }),
    runWorkload: (machineId, request) =>
      ask((answer) => readAnswer(LabWorkloadRunSchema, answer), `lab/machines/${id(machineId)}/runs`, {
        json: request,
      }),
  };
}

function readRun(answer: unknown): Result<RunView, string> {
  return readAnswer(RunViewSchema, answer);
}

function readMachine(answer: unknown): Result<LabMachine, string> {
  return readAnswer(LabMachineSchema, answer);
}

/** What an answer says: the thing asked for, or the problem that the server names. */
export function readResponse<T>(read: Reader<T>, path: string, status: number, text: string): Result<T, Problem> {
  const json = parseJson(text);
  if (status >= 200 && status < 300) {
    const answer = read(json);
    return answer.ok ? ok(answer.value) : err(notUnderstood(path, answer.error));
  }
  const problem = readAnswer(ProblemSchema, json);
  return err(problem.ok ? problem.value : notUnderstood(path, `status ${status} without a reason`));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notUnderstood(path: string, why: string): Problem {
  return {
    error: 'not-understood',
    message: `The server's answer to ${path} is not what this page expects: ${why}.`,
    remedy: 'Reload the page; if that does not help, page and server are of different versions.',
  };
}

/** Why a request did not come back. */
export function unreachable(error: unknown): Problem {
  const isTimeout = error instanceof DOMException && error.name === 'TimeoutError';
  return {
    error: 'unreachable',
    message: isTimeout ? 'The server did not answer in time.' : 'The server cannot be reached.',
    remedy: 'Is faultline still running in its terminal? The page tries again by itself.',
  };
}
