import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Answers an upgrade with an RFC 9457 problem and closes. `now` lets an agent see that its clock is wrong. */
export function refuseUpgrade(socket: Duplex, status: number, detail: string, nowMs: number): void {
  if (socket.destroyed) return;
  const body = JSON.stringify({ type: 'about:blank', status, title: STATUS_CODES[status], detail, now: nowMs });
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
