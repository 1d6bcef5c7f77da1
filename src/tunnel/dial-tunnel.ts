import type { HttpProxy } from '../lib/http-proxy.ts';
import { answeredInItsPlace } from './answered-in-its-place.ts';
import { dialWebSocket, UpgradeRefusedError } from './dial-websocket.ts';
import { connectToRelay } from './relay-connection.ts';
import { tunnelUrl } from './tunnel-url.ts';
import type { WebSocketTransport } from './websocket-transport.ts';

export interface TunnelDialling {
  /** Origin of the relay. */
  readonly relay: string;
  readonly proxy?: HttpProxy | undefined;
  /** WebSocket subprotocol: who dials. */
  readonly protocol: string;
  readonly bearer?: string;
  /** For the upgrade; the connection has a limit of its own. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * The WebSocket of a tunnel, before its handshake. Rejects with UpgradeRefusedError when the relay refuses,
 * `relay_unreachable` when it was not reached or something else answered, `aborted`.
 */
export async function dialTunnel(dialling: TunnelDialling): Promise<WebSocketTransport> {
  const { relay, proxy, protocol, bearer, timeoutMs, signal } = dialling;
  const url = tunnelUrl(relay);
  const connection = await connectToRelay({ url, proxy, signal });
  try {
    const headers: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    return await dialWebSocket({ url, protocol, headers, timeoutMs, signal, connection });
  } catch (error) {
    connection.destroy();
    throw error instanceof UpgradeRefusedError && error.mediaType !== 'application/problem+json'
      ? answeredInItsPlace(relay, error.status, error.mediaType)
      : error;
  }
}
