import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ErrorCode, messageOf, PosternError } from '../../lib/errors.ts';
import { carry } from '../connect/carry.ts';
import type { ProxyPort } from './port.ts';
import { isHost } from './socks5.ts';

const MAX_HEADER_BYTES = 8192;

/** Serves HTTP CONNECT (RFC 9110 §9.3.6) on the connections that it is given; `asked` is called when the request is there. */
export function connectFront(port: ProxyPort): (socket: Socket, asked: () => void) => void {
  // It listens nowhere, so Node enforces no timeouts of its own.
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES });
  const waiting = new WeakMap<Duplex, () => void>();
  server.on('request', (_request, response) => {
    response.writeHead(405, { allow: 'CONNECT', 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
    response.end('This proxy only leads connections through (CONNECT).\n');
  });
  server.on('connect', (request, socket: Socket, head: Buffer) => {
    waiting.get(socket)?.();
    void lead(request, socket, head, port);
  });
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  return (socket, asked) => {
    waiting.set(socket, asked);
    server.emit('connection', socket);
    socket.resume();
  };
}

async function lead(request: IncomingMessage, socket: Socket, head: Buffer, port: ProxyPort): Promise<void> {
  socket.pause();
  const target = parseAuthority(request.url ?? '');
  if (!target) return refuse(socket, '400 Bad Request', 'CONNECT needs host:port.');
  if (head.length > 0) socket.unshift(head);
  await carry(socket, {
    open: (gone) => port.open(target.host, target.port, gone),
    opened: () => void socket.write('HTTP/1.1 200 Connection Established\r\n\r\n'),
    failed: (error) => port.failed(target.host, error),
    refused: (error) => refuse(socket, statusFor(error), messageOf(error)),
  });
}

function parseAuthority(text: string): { host: string; port: number } | undefined {
  const [, v6, name, digits = ''] = /^(?:\[([0-9a-f:.]+)\]|([^[\]:/@?#]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || !isHost(host) || port < 1 || port > 65_535) return undefined;
  return { host, port };
}

function refuse(socket: Socket, status: string, sentence: string): void {
  const body = Buffer.from(`${sentence}\n`);
  socket.resume();
  socket.write(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  socket.end(body);
}

function statusFor(error: unknown): string {
  return (error instanceof PosternError ? STATUSES[error.code] : undefined) ?? '502 Bad Gateway';
}

const STATUSES: Readonly<Partial<Record<ErrorCode, string>>> = {
  forbidden: '403 Forbidden',
  unauthenticated: '403 Forbidden',
  limit_reached: '503 Service Unavailable',
  timeout: '504 Gateway Timeout',
};
