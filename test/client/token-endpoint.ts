import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers `POST /cli/token` with one fixed JSON and keeps what it received: the far side of the command line's exchange. */
export async function startTokenEndpoint(answer: unknown) {
  const received: unknown[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    request.on('end', () => {
      if (request.method !== 'POST' || request.url !== '/cli/token') return response.writeHead(404).end();
      received.push(JSON.parse(text));
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    // A name below localhost, as in the trial: Node's own resolver does not know it.
    origin: `http://postern.localhost:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
