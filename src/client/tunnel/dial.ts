import { PosternError } from '../../lib/errors.ts';
import type { HttpProxy } from '../../lib/http-proxy.ts';
import { dialTunnel } from '../../tunnel/dial-tunnel.ts';
import { UpgradeRefusedError } from '../../tunnel/dial-websocket.ts';
import { parseReady } from '../../tunnel/handshake-message.ts';
import { CLIENT_SUBPROTOCOL } from '../../tunnel/websocket-upgrade.ts';
import type { Credential } from '../credentials.ts';
import { loginCommand } from '../profiles.ts';
import { parseJson, problemText } from '../relay-answer.ts';
import { DialledTunnel } from './dialled-tunnel.ts';

const TIMEOUT_MS = 10_000;

/** A tunnel of this person to their relay. Rejects with `unauthenticated`, `forbidden`, `relay_unreachable` or `aborted`. */
export async function dialClientTunnel(
  { relay, token, profile }: Credential,
  proxy: HttpProxy | undefined,
  signal: AbortSignal,
): Promise<DialledTunnel> {
  try {
    const transport = await dialTunnel({
      relay,
      proxy,
      protocol: CLIENT_SUBPROTOCOL,
      bearer: token.reveal(),
      timeoutMs: TIMEOUT_MS,
      signal,
    });
    try {
      parseReady(await transport.receiveText(TIMEOUT_MS));
      return new DialledTunnel(transport);
    } catch (error) {
      transport.close(1000, '');
      throw error;
    }
  } catch (error) {
    throw readable(error, relay, `Run: ${loginCommand(relay, profile)}`);
  }
}

function readable(error: unknown, relay: string, run: string): unknown {
  if (error instanceof UpgradeRefusedError) {
    const detail = problemText(parseJson(error.body)) ?? error.message;
    if (error.status === 401) return new PosternError('unauthenticated', `${detail} ${run}`);
    return new PosternError(error.status === 403 ? 'forbidden' : 'relay_unreachable', detail);
  }
  if (error instanceof PosternError && error.code !== 'timeout' && error.code !== 'tunnel_closed') return error;
  const what = error instanceof Error ? error.message : String(error);
  return new PosternError('relay_unreachable', `${relay} did not open a tunnel: ${what}`, { cause: error });
}
