/** Refusals and failed requests as HTTP: the one place where a kind of refusal becomes a status. */
import type { Problem, Result } from '@faultline/shared';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusal } from '../sessions/refusal.ts';

/** The statuses that a refusal can have. */
export type RefusalStatus = 400 | 404 | 409 | 422 | 503;

/** An answer that a handler throws instead of its own. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** What was asked for, or the refusal as an answer. */
export function accepted<T>(result: Result<T, Refusal>): T {
  if (result.ok) return result.value;
  throw new RefusedError(result.error);
}

/** The status of each kind of refusal. */
export function refusalStatus(kind: Refusal['kind']): RefusalStatus {
  switch (kind) {
    case 'unknown-target':
    case 'unknown-probe':
    case 'unknown-stream':
    case 'unknown-run':
    case 'unknown-session':
    case 'unknown-machine':
    case 'unknown-note':
      return 404;
    case 'bad-parameter':
      return 400;
    case 'already-running':
    case 'too-many-runs':
    case 'not-running':
    case 'lab-problem':
    case 'store-in-use':
    case 'store-fixed':
    case 'session-live':
    case 'session-exists':
      return 409;
    case 'no-variant':
    case 'session-unreadable':
    case 'matrix-problem':
      return 422;
    case 'target-problem':
    case 'store-problem':
      return 503;
  }
}

/** A refusal as the body of an answer. */
function refusalProblem({ kind, message, remedy }: Refusal): Problem {
  return { error: kind, message, remedy };
}

/** Turns whatever a request failed with into a status and a Problem. What we did not expect is logged and not told. */
export function sendError(error: FastifyError | RefusedError, request: FastifyRequest, reply: FastifyReply): void {
  if (error instanceof RefusedError) {
    void reply.code(refusalStatus(error.refusal.kind)).send(refusalProblem(error.refusal));
    return;
  }
  const known = requestProblem(error);
  if (known !== undefined) {
    void reply.code(known.status).send(known.problem);
    return;
  }
  request.log.error({ err: error, url: request.url }, 'a request failed');
  const remedy = 'Look at what the server printed; if it says nothing of use, please report it.';
  const message = `The server could not answer ${request.method} ${request.url.slice(0, 200)}: something broke inside it.`;
  void reply.code(500).send({ error: 'internal', message, remedy } satisfies Problem);
}

/** What is wrong with a request that Fastify itself refused. */
function requestProblem(error: FastifyError): { readonly status: number; readonly problem: Problem } | undefined {
  if (error.validation !== undefined) {
    const message = `The request is not as described: ${describeValidation(error)}.`;
    return {
      status: 400,
      problem: { error: 'bad-request', message, remedy: 'See /api/docs for what each request takes.' },
    };
  }
  const status = error.statusCode;
  if (status === undefined || status < 400 || status >= 500) return undefined;
  if (status === 413) {
    const remedy = 'Send less: a command is some hundred bytes.';
    return { status, problem: { error: 'body-too-large', message: `${error.message}.`, remedy } };
  }
  const remedy = 'See /api/docs for what each request takes.';
  return { status, problem: { error: 'bad-request', message: `${error.message}.`, remedy } };
}

/** "body has the unknown property foo" and the like, the most telling ones first, three at most. */
function describeValidation(error: FastifyError): string {
  const where = error.validationContext ?? 'request';
  const claims = (error.validation ?? [])
    // An unknown property is reported twice: as one that matches the schema false, and by its name.
    .filter(({ keyword }) => keyword !== 'boolean')
    .map(({ keyword, instancePath, params, message }) => {
      const part = `${where}${instancePath.replaceAll('/', '.')}`;
      const names: unknown = params['additionalProperties'];
      if (keyword === 'additionalProperties' && Array.isArray(names)) {
        return `${part} has the unknown property ${names.map((name) => JSON.stringify(String(name).slice(0, 60))).join(', ')}`;
      }
      return `${part} ${message ?? 'is wrong'}`;
    });
  return claims.slice(0, 3).join('; ') || `${where} is wrong`;
}
