import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { randomToken } from '../lib/bytes.ts';
import { html } from '../lib/page/html.ts';
import { sendPage } from './page.ts';
import { consoleContentSecurityPolicy } from './security-headers.ts';

/** Addresses of the console's pages; all are one document. It holds no data, so roles are the API's business. */
const PAGES = ['/', '/audit', '/audit/:id'];

/** What the build writes where each response puts its own nonce. */
const NONCE_PLACE = /__POSTERN_NONCE__/g;

export async function serveConsole(app: FastifyInstance, directory: string): Promise<void> {
  const indexFile = join(directory, 'index.html');
  const built = existsSync(indexFile);

  for (const url of PAGES) {
    app.get(url, { config: { permission: 'signed-in' } }, async (_request, reply) => {
      if (!built) return sendPage(reply, 503, NOT_BUILT);
      // Each time, since it names its parts by content: after a new build the ones of before are gone.
      const index = await readFile(indexFile, 'utf8');
      const nonce = randomToken(16);
      return reply
        .header('content-security-policy', consoleContentSecurityPolicy(nonce))
        .type('text/html; charset=utf-8')
        .send(index.replace(NONCE_PLACE, nonce));
    });
  }

  if (!built) return;
  await app.register(fastifyStatic, { root: join(directory, 'assets'), serve: false });
  // The build names files by their content, so they never change.
  app.get<{ Params: { '*': string } }>(
    '/assets/*',
    { config: { permission: 'anyone', rateLimit: false } },
    (request, reply) => reply.sendFile(request.params['*'], { maxAge: '365d', immutable: true }),
  );
}

const NOT_BUILT = {
  title: 'The console is not built',
  body: html`<p>Run <code>npm run build</code> where the relay is installed, then restart it. Everything else works.</p>`,
};
