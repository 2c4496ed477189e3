/** GET /metrics: the totals of everything that is traced, for a monitor that scrapes. */
import { ProblemSchema } from '@faultline/shared';
import { Type } from 'typebox';
import { exportFormats } from '../exports/formats.ts';
import { Exposition } from '../exports/exposition.ts';
import type { Tracing } from '../sessions/tracing.ts';
import type { App } from './fastify.ts';

/** Adds the route. Series of all targets; what a target counted goes with it when it is removed. */
export function addMetricsRoute(app: App, tracing: Tracing, version: string): void {
  app.get(
    '/metrics',
    {
      schema: {
        tags: ['server'],
        summary: 'Totals, losses and latencies of all targets as OpenMetrics text; no label for a process',
        response: { 200: Type.String(), '4xx': ProblemSchema, '5xx': ProblemSchema },
      },
    },
    (_request, reply) => {
      void reply.header('content-type', exportFormats.openmetrics.contentType).serializer(String);
      return [...expose(tracing, version)].join('');
    },
  );
}

function expose(tracing: Tracing, version: string): Generator<string> {
  const exposition = new Exposition();
  exposition.addInfo('faultline_server', 'The Faultline that answers.', { version });
  const probes = new Map(tracing.probes().map((probe) => [probe.name, probe]));
  for (const session of tracing.sessions()) {
    const { target, runs } = session.view();
    const { release = '', machine = '', hostname = '' } = target.identity ?? {};
    const labels = { target: target.id };
    const facts = { ...labels, kind: target.kind, kernel: release, machine, host: hostname };
    exposition.addInfo('faultline_target', 'A kernel that is traced.', facts);
    for (const { run, cells, totals } of session.totals()) {
      const view = runs[run];
      const stream = probes.get(view?.probe ?? '')?.streams.find(({ name }) => name === view?.stream);
      if (view === undefined || stream === undefined) continue;
      exposition.addRun({ labels, probe: view.probe, stream, cells, totals, ledger: view.ledger });
    }
  }
  return exposition.text();
}
