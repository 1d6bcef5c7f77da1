import { createServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { loadKeyPair } from '../config/key-pair.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import type { HostPort } from '../config/values.ts';
import { limitConnections } from '../gateway/front/connection-limits.ts';
import { createHttpsRedirect } from '../gateway/front/https-redirect.ts';
import { createProxyFront } from '../gateway/front/proxy-front.ts';
import { createListener, type ListenerParts, type Proxies, secureContext } from '../gateway/listener.ts';
import type { Logger } from '../lib/log.ts';
import { endpointText } from '../lib/network/endpoint.ts';
import { createNetworks, isLoopback } from '../lib/networks.ts';
import { watchConnections } from '../lib/watch-connections.ts';
import { followCertificate, warnOfExpiry } from './certificate.ts';
import { openPort } from './open-port.ts';
import { ServedCertificates } from './served-certificates.ts';

/** How often connections that became idle are closed while the relay stops. */
const IDLE_LOOK_MS = 100;

export interface ListeningRelay extends AsyncDisposable {
  /** Where it listens, which may not be the public origin. */
  readonly url: string;
  /** Takes no new connections; those that are there get at most one more answer each. */
  stopAccepting(): void;
}

export interface ListenOptions {
  readonly log: Logger;
  /** How often certificates' files are looked at; default 5 s. */
  readonly lookMs?: number;
}

/** Opens the relay's ports as the configuration says: TLS or not, behind proxies or not, with a redirect or not. */
export async function listenForRelay(
  config: RelayConfig['relay'],
  parts: Omit<ListenerParts, 'tls' | 'proxies'>,
  { log, ...looking }: ListenOptions,
): Promise<ListeningRelay> {
  await using undo = new AsyncDisposableStack();
  const stopping = new AbortController();
  undo.defer(() => stopping.abort());
  const { tls, listen } = config;
  const redirect = createHttpsRedirect(config.origin);
  const trusted = createNetworks(config.trustedProxies);
  const pairs = (tls?.certificates ?? []).map((files) => loadKeyPair(files.certificateFile, files.keyFile));
  for (const pair of pairs) warnOfExpiry(pair, log);
  const served = new ServedCertificates(pairs);
  const [pair] = pairs;

  const front = config.proxyProtocol
    ? createProxyFront((socket) => server.emit('connection', socket), trusted)
    : undefined;
  const proxies: Proxies = {
    trusted,
    clientOf: front?.clientOf ?? (() => undefined),
    redirect: config.origin.startsWith('https:') && !tls ? redirect : undefined,
  };
  const server = createListener({
    ...parts,
    ...(pair ? { tls: { pair, contextFor: (serverName) => served.contextFor(serverName) } } : {}),
    ...(config.trustedProxies.length > 0 ? { proxies } : {}),
  });
  if (front) watchConnections(server);
  if (!front && !tls)
    server.prependListener('connection', (socket) => {
      const peer = socket.remoteAddress ?? '';
      if (!isLoopback(peer) && !trusted(peer)) socket.destroy();
    });

  const door = front?.server ?? server;
  limitConnections(door, trusted);
  await openPort(door, listen, 'relay.listen');
  undo.defer(() => close(server, door));
  if (tls && server instanceof HttpsServer) {
    const followed = tls.certificates.map((files, at) =>
      followCertificate({
        ...looking,
        files,
        log,
        signal: stopping.signal,
        onRenewed: (next) => {
          served.replace(at, next);
          if (at === 0) server.setSecureContext(secureContext(next));
        },
      }),
    );
    undo.defer(async () => {
      stopping.abort();
      await Promise.all(followed);
    });
  }
  const redirecting = tls?.redirectFrom && (await openRedirect(tls.redirectFrom, redirect));
  if (redirecting) undo.defer(() => close(redirecting, redirecting));

  const { address, port } = door.address() as AddressInfo;
  const held = undo.move();
  return {
    url: `${tls ? 'https' : 'http'}://${endpointText({ host: address, port })}`,
    stopAccepting() {
      redirecting?.close();
      if (door !== server) door.close();
      server.close();
      server.prependListener('request', (_req, res) => {
        res.shouldKeepAlive = false;
      });
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      stopping.signal.addEventListener('abort', () => clearInterval(idle));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function openRedirect(at: HostPort, redirect: RequestListener): Promise<HttpServer> {
  const server = createServer({ maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 10_000 }, redirect);
  limitConnections(server, () => false);
  await openPort(server, at, 'relay.tls.redirectFrom');
  return server;
}

function close(server: HttpServer, door: Server): Promise<void> {
  if (door !== server) door.close();
  server.close();
  server.closeAllConnections();
  return Promise.resolve();
}
