import type { AgentConfig } from '../config/agent-config.ts';
import { sortableId } from '../lib/id.ts';
import { signToken } from '../token/jwt.ts';
import type { SigningKey } from '../token/key.ts';
import { publicJwkOf } from '../token/key.ts';
import { dialTunnel } from '../tunnel/dial-tunnel.ts';
import { parseChallenge, parseReady } from '../tunnel/handshake-message.ts';
import type { WebSocketTransport } from '../tunnel/websocket-transport.ts';
import { SUBPROTOCOL } from '../tunnel/websocket-upgrade.ts';
import type { Credential } from './credential.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const PROOF_LIFE_SECONDS = 60;

export interface Connected {
  readonly transport: WebSocketTransport;
  readonly relay: string;
  readonly tunnel: string;
  /** Relay's clock minus ours. */
  readonly clockOffsetMs: number;
}

/** Opens the WebSocket with the credential and proves the key that it names. */
export async function connect(
  config: AgentConfig,
  key: SigningKey,
  credential: Credential,
  signal: AbortSignal,
): Promise<Connected> {
  const transport = await dialTunnel({
    relay: config.relay,
    proxy: config.proxy,
    protocol: SUBPROTOCOL,
    bearer: credential.jwt,
    timeoutMs: CONNECT_TIMEOUT_MS,
    signal,
  });
  try {
    const { relay, challenge } = parseChallenge(await transport.receiveText(CONNECT_TIMEOUT_MS));
    const proof = await signToken(
      key,
      {
        type: 'postern-tunnel-proof+jwt',
        issuer: config.name,
        subject: config.name,
        audience: config.relay,
        lifeSeconds: PROOF_LIFE_SECONDS,
        claims: { protocol: SUBPROTOCOL, relay, challenge, credential: credential.jti },
      },
      sortableId(),
      Date.now(),
    );
    transport.sendText(JSON.stringify({ type: 'proof', proof, publicKey: publicJwkOf(key.publicKey) }));
    const { tunnel, now } = parseReady(await transport.receiveText(CONNECT_TIMEOUT_MS));
    return { transport, relay, tunnel, clockOffsetMs: now - Date.now() };
  } catch (error) {
    transport.close(1000, '');
    throw error;
  }
}
