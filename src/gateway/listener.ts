import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import { noteClientAddress } from '../lib/client-address.ts';
import type { Networks } from '../lib/networks.ts';
import { answerClientError } from './front/client-error.ts';
import { cameByPlainHttp, forwardedClient } from './front/forwarded.ts';
import type { Gateway } from './gateway.ts';
import {
  CLIENT_HEADERS_MS,
  CLIENT_KEEP_ALIVE_MS,
  CONTROL_BODY_MS,
  MAX_HEADER_BYTES,
  TLS_HANDSHAKE_MS,
} from './limits.ts';

export interface ListenerParts {
  /** Host and port of the relay's own origin as browsers send it: without the scheme's default port. */
  readonly relayHost: string;
  readonly control: RequestListener;
  /** Takes upgrades of `/tunnel` on the relay's own host. */
  readonly tunnelUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly gateway: Pick<Gateway, 'handleRequest' | 'handleUpgrade'>;
  /** Absent: plain HTTP. */
  readonly tls?: ListenerTls;
  readonly proxies?: Proxies;
  /** Default `CONTROL_BODY_MS`. */
  readonly controlBodyMs?: number;
}

export interface ListenerTls {
  /** For clients that name no host, or one that `contextFor` does not know. */
  readonly pair: KeyPairPem;
  /** By the server name that a client asks for (SNI). */
  readonly contextFor: (serverName: string) => SecureContext | undefined;
}

/** PEM: the certificate with its chain, and its key. */
export interface KeyPairPem {
  readonly certificate: string;
  readonly key: string;
}

/** Whose word about the client counts. */
export interface Proxies {
  readonly trusted: Networks;
  /** The client of a connection, by the PROXY protocol. */
  readonly clientOf: (socket: Socket) => string | undefined;
  /** Answers what a proxy took in as plain HTTP; absent where the relay's origin is http itself. */
  readonly redirect: RequestListener | undefined;
}

/** The relay's one HTTP server; it only looks at Host. Everything that is not exactly the relay's own host is the gateway's to judge. */
export function createListener(parts: ListenerParts): Server {
  const relayHost = parts.relayHost.toLowerCase();
  const isOwn = (req: IncomingMessage) => onlyHost(req)?.toLowerCase() === relayHost;
  const { proxies, controlBodyMs = CONTROL_BODY_MS } = parts;
  const control = (req: IncomingMessage, res: ServerResponse) => {
    cutSlowBody(req, controlBodyMs);
    parts.control(req, res);
  };

  const server = createServer(parts.tls, {
    insecureHTTPParser: false,
    requireHostHeader: true,
    joinDuplicateHeaders: false,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: CLIENT_HEADERS_MS,
    // An upload may take as long as it moves; the gateway cuts one that stalls.
    requestTimeout: 0,
    keepAliveTimeout: CLIENT_KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
    noDelay: true,
    shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
  });
  // Node drops what is beyond this silently; the gateway counts and refuses.
  server.maxHeadersCount = 0;

  server.on('request', (req, res) => {
    if (readProxies(req, proxies)) proxies?.redirect?.(req, res);
    else if (isOwn(req)) control(req, res);
    else parts.gateway.handleRequest(req, res);
  });
  // Without this listener Node would ask for the body before anything is decided.
  server.on('checkContinue', (req, res) => {
    if (readProxies(req, proxies)) {
      proxies?.redirect?.(req, res);
      return;
    }
    if (!isOwn(req)) {
      parts.gateway.handleRequest(req, res);
      return;
    }
    res.writeContinue();
    control(req, res);
  });
  server.on('checkExpectation', (_req, res) => {
    res.writeHead(417, ['Connection', 'close', 'Content-Length', '0']);
    res.end();
  });
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (readProxies(req, proxies)) refuseRaw(socket, '403 Forbidden');
    else if (!isOwn(req)) parts.gateway.handleUpgrade(req, socket, head);
    else if (req.url === '/tunnel') parts.tunnelUpgrade(req, socket, head);
    else refuseRaw(socket, '404 Not Found');
  });
  server.on('clientError', answerClientError);
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => refuseRaw(socket, '501 Not Implemented'));
  return server;
}

function createServer(tls: ListenerTls | undefined, options: ServerOptions): Server {
  if (!tls) return createHttpServer(options);
  const server = createHttpsServer({
    ...options,
    ...secureContext(tls.pair),
    SNICallback: (serverName, choose) => choose(null, tls.contextFor(serverName)),
    handshakeTimeout: TLS_HANDSHAKE_MS,
    ALPNProtocols: ['http/1.1'],
  });
  // Strangers that speak no TLS are not worth a line each.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

/** What `tls` takes; also to renew a running listener (`setSecureContext`). */
export function secureContext({ certificate, key }: KeyPairPem) {
  return { cert: certificate, key, minVersion: 'TLSv1.2' } as const;
}

/** Notes the client's address. True: it came to a trusted proxy in the clear and must go back. */
function readProxies(req: IncomingMessage, proxies: Proxies | undefined): boolean {
  if (!proxies) return false;
  const peer = proxies.clientOf(req.socket) ?? req.socket.remoteAddress ?? '';
  noteClientAddress(req, forwardedClient(req, peer, proxies.trusted));
  return proxies.redirect !== undefined && cameByPlainHttp(req, req.socket.remoteAddress ?? '', proxies.trusted);
}

/** The relay's own host takes small bodies only; the server has no limit of its own, for uploads to resources. */
function cutSlowBody(req: IncomingMessage, limitMs: number): void {
  if (req.headers['content-length'] === undefined && req.headers['transfer-encoding'] === undefined) return;
  const limit = setTimeout(() => {
    if (!req.complete) req.socket.destroy();
  }, limitMs);
  limit.unref();
  req.socket.once('close', () => clearTimeout(limit));
  req.once('end', () => clearTimeout(limit));
}

/** The Host field if there is exactly one; Node itself would take the first of several. */
function onlyHost(req: IncomingMessage): string | undefined {
  const raw = req.rawHeaders;
  let host: string | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? '';
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== undefined) return undefined;
    host = raw[at + 1];
  }
  return host;
}

function refuseRaw(socket: Duplex, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
