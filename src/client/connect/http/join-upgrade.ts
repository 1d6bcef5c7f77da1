import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { copy } from '../../../tunnel/copy.ts';

/** The client's side of an upgrade; `head` are bytes that came behind the request. */
export interface Upgrade {
  readonly socket: Socket;
  readonly head: Buffer;
}

/** After the 101: bytes both ways until both sides have ended. */
export function joinUpgrade(
  { socket, head }: Upgrade,
  res: ServerResponse,
  answer: IncomingMessage,
  theirs: Socket,
  theirHead: Buffer,
): void {
  res.detachSocket(socket);
  socket.setTimeout(0);
  theirs.setTimeout(0);
  const fields = answer.rawHeaders.map((text, at) => (at % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  socket.write(`HTTP/1.1 101 ${answer.statusMessage ?? ''}\r\n${fields}\r\n`, 'latin1');
  if (theirHead.length > 0) theirs.unshift(theirHead);
  if (head.length > 0) theirs.write(head);
  copy(socket, theirs);
}
