/** The OpenAPI document: made from the very schemas that the routes check, with names for those of shared. */
import * as shared from '@faultline/shared';
import type { SwaggerOptions } from '@fastify/swagger';
import type { FastifySchema } from 'fastify';

/** Marks the place of a named schema until the document is whole; @fastify/swagger would rewrite the schema itself. */
const marker = 'x-shared-schema';

/** Options of @fastify/swagger for this server's version; the token scheme is in it where a token is demanded. */
export function openApiOptions(version: string, demandsToken: boolean): SwaggerOptions {
  const bearer = { type: 'http', scheme: 'bearer' } as const;
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Faultline',
        description:
          'Commands and look-ups of a Faultline server. Live figures go by socket.io. ' +
          'Every failure answers with a Problem: what happened, and what to do about it.',
        version,
      },
      tags: [
        { name: 'targets', description: 'Kernels, and what can be asked of them' },
        { name: 'runs', description: 'Probe runs: one bpftrace process each' },
        { name: 'sessions', description: 'What was recorded' },
        { name: 'compare', description: 'Recorded sessions of kernel builds, side by side' },
        { name: 'lab', description: 'Real kernels in guests, and workloads in them' },
        { name: 'server', description: 'The server itself' },
      ],
      ...(demandsToken ? { components: { securitySchemes: { bearer } }, security: [{ bearer: [] }] } : {}),
    },
    // OpenAPI 3.1 is JSON Schema; a constant may stay one.
    convertConstToEnum: false,
    transform: ({ schema, url }) => ({ schema: markSchemas(schema), url }),
    transformObject: (document) => ('openapiObject' in document ? resolveMarks(document.openapiObject) : {}),
  };
}

const answers: Readonly<Record<string, string>> = {
  '200': 'What was asked for',
  '201': 'Started',
  '4xx': 'Refused: why, and what to do',
  '5xx': 'Failed: why, and what to do',
};

/** Schemas that shared exports as NameSchema, by their text. */
const nameOf = new Map(
  Object.entries(shared)
    .filter(([name]) => name.endsWith('Schema'))
    .map(([name, schema]) => [JSON.stringify(schema), name.slice(0, -'Schema'.length)]),
);

function markSchemas(schema: FastifySchema): FastifySchema {
  const { response, body } = schema;
  const described = Object.entries(response ?? {}).map(([status, part]: [string, unknown]) => {
    const marked = replaceNamed(part, (name) => ({ [marker]: name }));
    return [status, { ...asObject(marked), 'x-response-description': answers[status] ?? status }];
  });
  return {
    ...schema,
    ...(body === undefined ? {} : { body: replaceNamed(body, (name) => ({ [marker]: name })) }),
    response: Object.fromEntries(described),
  };
}

/** Turns marks into references and adds what they refer to, in the order in which one meets it. */
function resolveMarks<T extends { components?: object }>(document: T): T {
  const schemas: Record<string, unknown> = {};
  const refer = (name: string): unknown => {
    if (!(name in schemas)) {
      schemas[name] = {};
      const schema: unknown = JSON.parse([...nameOf].find(([, known]) => known === name)?.[0] ?? '{}');
      schemas[name] = mapParts(schema, (part) => replaceNamed(part, refer));
    }
    return { $ref: `#/components/schemas/${name}` };
  };
  const walk = (node: unknown): unknown => {
    const name = asObject(node)[marker];
    return typeof name === 'string' ? refer(name) : mapParts(node, walk);
  };
  const resolved = Object.fromEntries(
    Object.entries(document).map(([key, part]: [string, unknown]) => [key, walk(part)]),
  );
  return { ...document, ...resolved, components: { ...document.components, schemas } };
}

/** Replaces every schema that has a name, the outermost first. */
function replaceNamed(node: unknown, replace: (name: string) => unknown): unknown {
  const name = nameOf.get(JSON.stringify(node));
  return name === undefined ? mapParts(node, (part) => replaceNamed(part, replace)) : replace(name);
}

function mapParts(node: unknown, change: (part: unknown) => unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((part: unknown) => change(part));
  return Object.fromEntries(Object.entries(node).map(([key, part]: [string, unknown]) => [key, change(part)]));
}

function asObject(node: unknown): Readonly<Record<string, unknown>> {
  return typeof node === 'object' && node !== null ? Object.fromEntries(Object.entries(node)) : {};
}
