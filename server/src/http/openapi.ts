/** The OpenAPI document: made from the very schemas that the routes check, with names for those of shared. */
import * as shared from '@faultline/shared';
import type { SwaggerOptions } from '@fastify/swagger';

/** Options of @fastify/swagger for this server's version; the token scheme is in it where a token is demanded. */
export function openApiOptions(version: string, demandsToken: boolean): SwaggerOptions {
  const bearer = { type: 'http', scheme: 'bearer' } as const;
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Faultline',
        description:
          'Commands and look-ups of a Faultline server. Live figures go by socket.io, see docs/api.md in the project. ' +
          'Every failure answers with a Problem: what, and what to do about it.',
        version,
      },
      tags: [
        { name: 'targets', description: 'Kernels, and what can be asked of them' },
        { name: 'runs', description: 'Probe runs: one bpftrace process each' },
        { name: 'sessions', description: 'What was recorded' },
        { name: 'server', description: 'The server itself' },
      ],
      ...(demandsToken ? { components: { securitySchemes: { bearer } }, security: [{ bearer: [] }] } : {}),
    },
    // OpenAPI 3.1 is JSON Schema; a constant may stay one.
    convertConstToEnum: false,
    transformObject: (document) => ('openapiObject' in document ? nameSchemas(document.openapiObject) : {}),
  };
}

/** Replaces each schema that shared exports (as NameSchema) by a reference to components/schemas/Name. */
export function nameSchemas<T extends { components?: object }>(document: T): T {
  const names = new Map<string, string>();
  for (const [name, value] of Object.entries(shared)) {
    if (name.endsWith('Schema')) names.set(JSON.stringify(value), name.slice(0, -'Schema'.length));
  }
  const schemas: Record<string, unknown> = {};
  const walk = (node: unknown, isRoot: boolean): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    const name = isRoot ? undefined : names.get(JSON.stringify(node));
    if (name === undefined) {
      if (Array.isArray(node)) return node.map((part: unknown) => walk(part, false));
      return Object.fromEntries(Object.entries(node).map(([key, part]: [string, unknown]) => [key, walk(part, false)]));
    }
    // Reserved before its parts are walked, so that the list keeps the order in which one meets them.
    schemas[name] ??= {};
    schemas[name] = walk(node, true);
    return { $ref: `#/components/schemas/${name}` };
  };
  const named = Object.fromEntries(
    Object.entries(document).map(([key, part]: [string, unknown]) => [key, walk(part, false)]),
  );
  return { ...document, ...named, components: { ...document.components, schemas } };
}
