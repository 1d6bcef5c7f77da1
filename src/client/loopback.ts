import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constantTimeEqual } from '../lib/bytes.ts';
import { PosternError } from '../lib/errors.ts';

export interface CodeListener extends AsyncDisposable {
  /** `http://127.0.0.1:<port>/callback`: the address, not a name, as RFC 8252 §8.3 asks. */
  readonly redirectUri: string;
  /** The authorization code; rejects with `sign_in_refused` or `aborted`. */
  code(signal: AbortSignal): Promise<string>;
}

/** Listens on this machine for the one redirect that ends a sign-in; whatever does not carry our `state` is turned away. */
export async function listenForCode(state: string): Promise<CodeListener> {
  const arrived = Promise.withResolvers<string>();
  // Refused before anyone waits for it: must not end the process.
  arrived.promise.catch(() => {});

  const server = createServer((request, response) => {
    // Any page in the browser can send anything here.
    const url = URL.parse(request.url ?? '/', 'http://127.0.0.1');
    if (request.method !== 'GET' || url?.pathname !== '/callback') return page(response, 404, 'Nothing is here.');
    if (!constantTimeEqual(url.searchParams.get('state') ?? '', state))
      return page(response, 400, 'This sign-in does not belong to the command that waits here. Start it again.');
    const code = url.searchParams.get('code');
    if (code) {
      page(response, 200, 'You are signed in. You can close this tab and go back to your terminal.');
      arrived.resolve(code);
      return;
    }
    page(response, 403, 'The sign-in was refused. You can close this tab.');
    arrived.reject(new PosternError('sign_in_refused', 'The sign-in was refused at the relay.'));
  });
  server.listen(0, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  const { port } = server.address() as AddressInfo;

  return {
    redirectUri: `http://127.0.0.1:${port}/callback`,
    code(signal) {
      const abort = () => arrived.reject(new PosternError('aborted', 'The sign-in was stopped.'));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      return arrived.promise.finally(() => signal.removeEventListener('abort', abort));
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 500).unref();
      await closed;
    },
  };
}

function page(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    connection: 'close',
  });
  response.end(
    `<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>Postern</title>` +
      `<body style="font:18px/1.5 system-ui;display:grid;place-content:center;min-height:90vh;text-align:center"><h1>Postern</h1><p>${sentence}</p>`,
  );
}
