import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import type { HostPort } from '../../config/values.ts';
import { isLocalhostName } from '../../lib/localhost.ts';
import { endpointText } from '../../lib/network/endpoint.ts';
import { openPort } from '../open-port.ts';
import type { Health, HealthAnswer } from './health.ts';
import type { Meters } from './meters.ts';

/** Scrapers ask now and then; whoever holds more connections is refused. */
const MAX_CONNECTIONS = 64;
const REQUEST_MS = 10_000;

export interface MetricsServer extends AsyncDisposable {
  readonly url: string;
}

/** `/metrics` and `/health/startup`, `/health/live`, `/health/ready` on a loopback port of their own. Asks nobody who they are. */
export async function serveMetrics(address: HostPort, meters: Meters, health: Health): Promise<MetricsServer> {
  const answers: Readonly<Record<string, () => HealthAnswer>> = {
    '/health/startup': () => health.startup(),
    '/health/live': () => health.live(),
    '/health/ready': () => health.ready(),
  };
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!isAskedHere(req.headers.host)) return end(res, 421, 'text/plain', 'Ask by address, or as localhost.\n');
    const ask = answers[req.url ?? ''];
    if (req.method !== 'GET' && req.method !== 'HEAD') return end(res, 405, 'text/plain', 'Only GET.\n');
    if (ask) {
      const found = ask();
      return end(res, found.ok ? 200 : 503, 'application/json', `${JSON.stringify(found)}\n`);
    }
    if (req.url === '/metrics') return end(res, 200, meters.registry.contentType, await meters.registry.metrics());
    end(res, 404, 'text/plain', 'Known: /metrics /health/startup /health/live /health/ready\n');
  };
  const server = createServer({ headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS }, (req, res) => {
    answer(req, res).catch(() => res.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  await openPort(server, address, 'relay.metrics');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${endpointText({ host: address.host, port })}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** By address or as localhost: a web page that had its own name point here (DNS rebinding) asks by that name. */
function isAskedHere(host = ''): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || isLocalhostName(name);
}

function end(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' });
  res.end(body);
}
