/** The built page as static files, or a page that says how to build it. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fastifyStatic } from '@fastify/static';
import type { App } from './fastify.ts';

/** Serves the page's folder (web/dist) at /; looks once, at the start, whether it was built. */
export async function addPage(app: App, folder: string): Promise<{ readonly isBuilt: boolean }> {
  const isBuilt = existsSync(join(folder, 'index.html'));
  if (!isBuilt) {
    app.get('/', { schema: { hide: true } }, (_request, reply) =>
      reply.code(503).type('text/html; charset=utf-8').serializer(String).send(notBuiltPage),
    );
    return { isBuilt };
  }
  await app.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (reply, path) => {
      // Vite names what is in assets/ by its content; everything else may change with the next build.
      const isNamedByContent = path.startsWith(join(folder, 'assets') + sep);
      void reply.header('cache-control', isNamedByContent ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return { isBuilt };
}

const notBuiltPage = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Faultline: the page is not built</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 40rem; padding: 0 1rem }</style>
<h1>The page is not built yet</h1>
<p>This server runs and traces, but the folder web/dist of the working copy is empty. Build the page, then start the
server again:</p>
<pre>npm start</pre>
<p>or, in an installed workspace, <code>pnpm build</code>. Meanwhile everything can be asked by HTTP:
<a href="/api/docs/">the interface, to try</a>.</p>
</html>
`;
