/** Fastify as we use it: TypeBox in and out, nothing coerced, nothing removed, unknown properties refused. */
import { assert, httpBodyBytesMax } from '@faultline/shared';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import fastify, { type FastifyBaseLogger, type FastifySchemaCompiler, type FastifySerializerCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** An instance that knows TypeBox schemas. */
export type App = ReturnType<typeof makeFastify>;

/** A bare instance: JSON bodies only, within httpBodyBytesMax; an empty body counts as {}. */
// biome-ignore format: the return type is inferred, being Fastify's five type parameters.
export function makeFastify(logger: FastifyBaseLogger) {
  const app = fastify({
    loggerInstance: logger,
    bodyLimit: httpBodyBytesMax,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 200 },
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(validatorOf);
  app.setSerializerCompiler(serializerOf);
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, {});
    else void parseJson(request, String(body), done);
  });
  return app;
}

const validatorOf: FastifySchemaCompiler<TSchema> = (route) => TypeBoxValidatorCompiler(route);

/** Answers are checked against what the OpenAPI document promises; one that breaks the promise is not sent. */
const serializerOf: FastifySerializerCompiler<TSchema> = ({ schema, method, url, httpStatus }) => {
  const promise = Compile(schema);
  return (data) => {
    if (!promise.Check(data)) {
      const [first] = promise.Errors(data);
      assert(false, `${method} ${url} answers ${httpStatus} as described: ${first?.instancePath} ${first?.message}`);
    }
    return JSON.stringify(data);
  };
};
