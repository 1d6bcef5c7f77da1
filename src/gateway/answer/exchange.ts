import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { asksForPage } from '../../lib/asks-for-page.ts';
import type { RequestHead } from '../access/1-read.ts';
import { LINGER_MS } from '../limits.ts';

/** One request of a client and the means to answer it. An upgrade has a response too, until its socket is taken over. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** Present on an upgrade; `head` are bytes that came behind it. */
  readonly upgrade: { readonly socket: Socket; readonly head: Buffer } | undefined;
}

/**
 * Gives an upgrade a response, so that everything which is not a 101 is answered as to any request; then the socket
 * ends. Undefined, and the connection cut, for an upgrade pipelined behind a request that is not answered yet: after it
 * the two answers could not be told apart.
 */
export function upgradeExchange(req: IncomingMessage, socket: Duplex, head: Buffer): Exchange | undefined {
  const client = socket as Socket;
  const res = new ServerResponse(req);
  res.shouldKeepAlive = false;
  client.on('error', () => client.destroy());
  try {
    res.assignSocket(client);
  } catch {
    client.destroy();
    return undefined;
  }
  res.once('finish', () => {
    res.detachSocket(client);
    client.destroySoon();
    // The server emits this for its own responses.
    res.emit('close');
  });
  return { req, res, upgrade: { socket: client, head } };
}

export function wantsPage({ websocket, fetchMode, accept }: RequestHead): boolean {
  return websocket === undefined && asksForPage(fetchMode, accept);
}

/** A request that may be sent to sign-in and repeated after it. */
export function isNavigation(head: RequestHead): boolean {
  return head.method === 'GET' && wantsPage(head);
}

/** The answer is out although the client still sends: discards the rest for a bounded time, then cuts the connection. */
export function lingerAfter({ req }: Exchange): void {
  if (req.complete) return;
  req.resume();
  const { socket } = req;
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  cut.unref();
  const settled = () => clearTimeout(cut);
  req.once('end', settled);
  socket.once('close', settled);
}

/** Cuts an answer short, so that nobody takes it for a whole one: where only the end of the connection ends it, by a reset. */
export function breakOff({ req, res }: Exchange): void {
  const { socket } = req;
  // TLS has its own end (close_notify), which destroying leaves out. Node cannot reset a socket that is ending: it would
  // leak the handle, and the process could not exit.
  const canReset = !('encrypted' in socket) && !socket.destroyed && !socket.writableEnded;
  if (req.httpVersion === '1.0' && canReset) socket.resetAndDestroy();
  res.destroy();
}
