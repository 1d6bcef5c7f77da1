import { createServer, type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { watchConnections } from '../../../lib/watch-connections.ts';
import { type LocalListener, type LocalPlace, listen } from '../listen.ts';
import { passRequest, type ServingHttp } from './exchange.ts';
import { wayToResource } from './way.ts';

/** Cookies of an app that runs elsewhere on this machine come along with its own. */
const MAX_HEADER_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 60_000;

export interface HeaderLimits {
  /** From the first byte of a request, or the connection, to the end of its headers. */
  readonly headersTimeout: number;
  readonly connectionsCheckingInterval: number;
}
const HEADER_LIMITS: HeaderLimits = { headersTimeout: 60_000, connectionsCheckingInterval: 5000 };

/**
 * Serves HTTP/1.1 on this machine for a resource: each request goes to the resource's own host as this person's. For
 * programs that cannot follow a browser's sign-in: git, docker, IDEs, native apps.
 */
export async function serveHttp(
  place: LocalPlace,
  serving: ServingHttp,
  limits = HEADER_LIMITS,
): Promise<LocalListener> {
  const way = wayToResource(serving.origin, serving.proxy, serving.signal);
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    ...limits,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // An upload may take hours.
    requestTimeout: 0,
    // Anything else is asked for and not needed: the relay answers in HTTP/1.1.
    shouldUpgradeCallback: ({ headers }) => /^websocket$/i.test(headers.upgrade ?? ''),
  });
  const pass = (req: IncomingMessage, res: ServerResponse) => void passRequest({ req, res }, serving, way);
  server.on('request', pass).on('checkContinue', pass);
  server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
    const res = new ServerResponse(req);
    res.shouldKeepAlive = false;
    res.assignSocket(socket);
    res.once('finish', () => socket.destroySoon());
    void passRequest({ req, res, upgrade: { socket, head } }, serving, way);
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  watchConnections(server);

  const listener = await listen(place, (socket) => {
    server.emit('connection', socket);
    socket.resume();
  });
  return {
    address: listener.address,
    untilUnused: (limitMs) => listener.untilUnused(limitMs),
    port: listener.port,
    async [Symbol.asyncDispose]() {
      way.close();
      server.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
