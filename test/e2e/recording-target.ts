import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import { type RunningTarget, serveTarget } from '../../trial/targets/serve.ts';

/** What reached the app, byte for byte. */
export interface Seen {
  readonly method: string;
  /** Request target as received. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface RecordingTarget extends RunningTarget {
  readonly seen: readonly Seen[];
}

/** An app that answers everything and remembers what it saw. `/stream` never ends by itself; upgrades echo. */
export async function startRecordingTarget(): Promise<RecordingTarget> {
  const seen: Seen[] = [];
  const record = ({ method = '', url = '', headers }: IncomingMessage): void => {
    seen.push({ method, target: url, headers });
  };
  const server = createServer((request, response) => {
    record(request);
    request.resume();
    if (request.url?.startsWith('/stream')) {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const timer = setInterval(() => response.write('more\n'), 50);
      response.on('close', () => clearInterval(timer));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(`<!doctype html><title>Recording</title><h1>Recorded</h1><p id="n">${seen.length}</p>`);
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    record(request);
    socket.on('error', () => {});
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.send('hello');
  });
  return { seen, ...(await serveTarget(server)) };
}
