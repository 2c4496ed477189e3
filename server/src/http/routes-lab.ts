/** The lab over HTTP: boot a kernel, run a workload in it, end it. */
import {
  BootLabSchema,
  LabMachineSchema,
  LabViewSchema,
  LabWorkloadRunSchema,
  ProblemSchema,
  StartWorkloadSchema,
} from '@faultline/shared';
import { Type } from 'typebox';
import type { Lab } from '../lab/lab-desk.ts';
import { accepted } from './errors.ts';
import type { App } from './fastify.ts';

const failures = { '4xx': ProblemSchema, '5xx': ProblemSchema } as const;
const IdSchema = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) }, { additionalProperties: false });

/** Adds the routes below /api/v1/lab. */
export function addLabRoutes(app: App, lab: Lab): void {
  app.get(
    '/lab',
    {
      schema: {
        tags: ['lab'],
        summary: 'Kernels that can be booted, guests and workloads',
        response: { 200: LabViewSchema, ...failures },
      },
    },
    async () => accepted(await lab.view()),
  );
  app.post(
    '/lab/machines',
    {
      schema: {
        tags: ['lab'],
        summary: 'Boot a kernel in a guest; answers at once, the guest appears as a target when it is up',
        body: BootLabSchema,
        response: { 200: LabMachineSchema, ...failures },
      },
    },
    async ({ body }) => accepted(await lab.boot(body)),
  );
  app.delete(
    '/lab/machines/:id',
    {
      schema: {
        tags: ['lab'],
        summary: 'End a guest and what is traced in it',
        params: IdSchema,
        response: { 200: LabMachineSchema, ...failures },
      },
    },
    async ({ params }) => accepted(await lab.stop(params.id)),
  );
  app.post(
    '/lab/machines/:id/runs',
    {
      schema: {
        tags: ['lab'],
        summary: 'Run a workload in a guest; GET /lab says what becomes of it',
        params: IdSchema,
        body: StartWorkloadSchema,
        response: { 200: LabWorkloadRunSchema, ...failures },
      },
    },
    ({ params, body }) => accepted(lab.runWorkload(params.id, body)),
  );
}
