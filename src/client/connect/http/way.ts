import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpProxy } from '../../../lib/http-proxy.ts';
import { connectToRelay } from '../../../tunnel/relay-connection.ts';

/** The relay itself gives up sooner; this is for one that does not speak any more. */
const SILENCE_MS = 20 * 60_000;

export interface WayToResource {
  /** A request with these raw fields, which leaves with the first bytes of its body, or its end. */
  request(req: IncomingMessage, fields: readonly string[], fresh: boolean): ClientRequest;
  close(): void;
}

/** Connections to the relay for the requests of one resource. */
export function wayToResource(origin: string, proxy: HttpProxy | undefined, signal: AbortSignal): WayToResource {
  const url = new URL(origin);
  // Each has its TLS done, so the requests on it are plain.
  class Connections extends Agent {
    override createConnection(_options: object, ready: (error: Error | null, socket: Duplex) => void): undefined {
      connectToRelay({ url, proxy, signal }).then(
        (socket) => ready(null, socket),
        (error: Error) => ready(error, undefined as never),
      );
    }
  }
  const kept = new Connections({ keepAlive: true, maxFreeSockets: 16, timeout: SILENCE_MS });
  const fresh = new Connections({ keepAlive: false, timeout: SILENCE_MS });
  return {
    request({ method, url: path }, fields, isFresh) {
      const asked = request({
        host: url.hostname,
        method: method ?? 'GET',
        path: path ?? '/',
        headers: fields,
        setHost: false,
        agent: isFresh ? fresh : kept,
        signal,
      });
      asked.setTimeout(SILENCE_MS, () => asked.destroy(new Error('The relay has been silent for too long.')));
      return asked;
    },
    close() {
      kept.destroy();
      fresh.destroy();
    },
  };
}
