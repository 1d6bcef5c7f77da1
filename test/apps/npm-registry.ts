import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { listen } from '../gateway/world.ts';

export interface NpmRegistry extends AsyncDisposable {
  readonly target: string;
  /** `PUT /@acme%2fleft`, as received. */
  readonly requests: readonly string[];
}

interface Published {
  readonly versions: Record<string, { dist: { tarball: string } }>;
  readonly _attachments?: Record<string, { readonly data: string }>;
}

/** The least that `npm publish` and `npm install` need of a registry; it knows its own name from X-Forwarded-Host. */
export async function startNpmRegistry(): Promise<NpmRegistry> {
  const packages = new Map<string, Published>();
  const tarballs = new Map<string, Buffer>();
  const requests: string[] = [];

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = '', url = '' } = req;
    requests.push(`${method} ${url}`);
    const path = decodeURIComponent(url.split('?')[0] ?? '').slice(1);
    if (method === 'PUT') {
      const { _attachments = {}, ...published } = (await json(req)) as Published;
      for (const [name, { data }] of Object.entries(_attachments)) tarballs.set(name, Buffer.from(data, 'base64'));
      packages.set(path, published);
      return void res.writeHead(201).end('{"ok":true}');
    }
    const tarball = tarballs.get(path.split('/-/')[1] ?? '');
    if (tarball) return void res.end(tarball);
    const found = packages.get(path);
    if (!found) return void res.writeHead(404).end('{}');
    const origin = `${String(req.headers['x-forwarded-proto'])}://${String(req.headers['x-forwarded-host'])}`;
    const packument = structuredClone(found);
    for (const { dist } of Object.values(packument.versions))
      dist.tarball = `${origin}/${path}/-/${dist.tarball.split('/-/')[1]}`;
    res.setHeader('content-type', 'application/json').end(JSON.stringify(packument));
  }

  const server = createServer((req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  const port = await listen(server);
  return {
    target: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
