// The target: as lean as node:http allows, so that what stands before it shows.
import { createServer, type ServerResponse } from 'node:http';
import { listenAndSay } from '../say-port.ts';
import { DOWNLOAD_CHUNK, SMALL_BODY, type TargetCount } from './target-bodies.ts';
import { renderPage } from './target-page.ts';

let served = 0;

const server = createServer((request, response) => {
  served += 1;
  const [path, query] = (request.url ?? '').split('?');
  if (path === '/download') return download(response, Number(new URLSearchParams(query).get('bytes')));
  if (path === '/page') return answer(response, 'text/html; charset=utf-8', renderPage());
  answer(response, 'text/plain', SMALL_BODY);
});
server.keepAliveTimeout = 120_000;
server.maxRequestsPerSocket = 0;

function answer(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}

function download(response: ServerResponse, bytes: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  let left = bytes;
  const write = () => {
    while (left > 0) {
      const chunk = left < DOWNLOAD_CHUNK.length ? DOWNLOAD_CHUNK.subarray(0, left) : DOWNLOAD_CHUNK;
      left -= chunk.length;
      if (!response.write(chunk)) return;
    }
    response.off('drain', write);
    response.end();
  };
  response.on('drain', write);
  write();
}

process.on('message', () => process.send?.({ served } satisfies TargetCount));
process.on('disconnect', () => process.exit());
listenAndSay(server);
