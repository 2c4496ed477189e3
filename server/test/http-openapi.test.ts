import { RecordSummarySchema, RunViewSchema, SessionViewSchema, StartRunSchema } from '@faultline/shared';
import { describe, expect, it } from 'vitest';
import { startApp } from './fakes/start-app.ts';

type Operation = {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, unknown>>;
};
type Document = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>>; readonly securitySchemes?: unknown };
  readonly security?: unknown;
};

async function readDocument(token?: string): Promise<Document> {
  await using server = await startApp({ access: { token } });
  const answer = await fetch(`${server.url}/api/v1/openapi.json`);
  return (await answer.json()) as Document;
}

/** Puts every referred schema in its place; throws at a reference that leads nowhere. */
function dereference(document: Document, node: unknown): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (Array.isArray(node)) return node.map((part) => dereference(document, part));
  if ('$ref' in node) {
    const name = String(node.$ref).replace('#/components/schemas/', '');
    if (!(name in document.components.schemas)) throw new Error(`nothing is named ${String(node.$ref)}`);
    return dereference(document, document.components.schemas[name]);
  }
  return Object.fromEntries(Object.entries(node).map(([key, part]) => [key, dereference(document, part)]));
}

describe('the OpenAPI document', () => {
  it('lists every route, and no other', async () => {
    const { paths, openapi } = await readDocument();
    const operations = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(openapi).toBe('3.1.0');
    expect(operations.toSorted()).toEqual([
      'GET /api/v1/health',
      'GET /api/v1/openapi.json',
      'GET /api/v1/probes',
      'GET /api/v1/runs',
      'GET /api/v1/runs/{id}',
      'GET /api/v1/runs/{id}/summary',
      'GET /api/v1/sessions',
      'GET /api/v1/sessions/{id}/summary',
      'GET /api/v1/targets',
      'GET /api/v1/targets/{id}/devices',
      'GET /api/v1/targets/{id}/plans',
      'GET /api/v1/targets/{id}/preflight',
      'GET /metrics',
      'POST /api/v1/runs',
      'POST /api/v1/runs/{id}/stop',
    ]);
  });

  it('describes each of them: what for, what comes, what failures look like', async () => {
    const document = await readDocument();
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        expect(`${method} ${path}: ${operation.summary}`).toMatch(/: [A-Z].{9,}$/);
        expect(operation.tags).toHaveLength(1);
        const success = Object.keys(operation.responses).filter((status) => status.startsWith('2'));
        expect(success).toEqual([method === 'post' && path.endsWith('/runs') ? '201' : '200']);
        if (path.endsWith('openapi.json')) continue;
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
      }
    }
    expect(() => dereference(document, document.paths)).not.toThrow();
  });

  it('says exactly what shared says', async () => {
    const document = await readDocument();
    const schemas = {
      StartRun: StartRunSchema,
      RunView: RunViewSchema,
      SessionView: SessionViewSchema,
      RecordSummary: RecordSummarySchema,
    };
    for (const [name, schema] of Object.entries(schemas)) {
      expect(dereference(document, document.components.schemas[name])).toEqual(JSON.parse(JSON.stringify(schema)));
    }
    expect(document.paths['/api/v1/runs']?.['post']?.requestBody).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/StartRun' } } },
    });
  });

  it('asks for a token where the server does', async () => {
    expect((await readDocument()).security).toBeUndefined();
    expect(await readDocument('secret')).toMatchObject({
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    });
  });

  it('has a page to try it, all of whose parts come from this server', async () => {
    await using server = await startApp();
    const html = await (await fetch(`${server.url}/api/docs/`)).text();
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, part]) => part ?? '');
    expect(parts.length).toBeGreaterThan(4);
    for (const part of parts) {
      const answer = await fetch(new URL(part, `${server.url}/api/docs/`));
      expect([part, answer.status]).toEqual([part, 200]);
      expect(new URL(part, `${server.url}/api/docs/`).origin).toBe(server.url);
    }
    expect(html).not.toMatch(/<script(?![^>]*src=)/);
  });
});
