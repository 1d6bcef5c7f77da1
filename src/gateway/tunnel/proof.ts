import { Type } from 'typebox';
import type { DeviceCredential } from '../../domain/device-credential.ts';
import { randomToken } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { hasCode } from '../../lib/errors.ts';
import { parser } from '../../lib/schema.ts';
import { verifyToken } from '../../token/jwt.ts';
import { publicKeyFromJwk, thumbprint } from '../../token/key.ts';
import { PROOF_TIMEOUT_MS, parseProof } from '../../tunnel/handshake-message.ts';
import { closeCodeOf } from '../../tunnel/tunnel-end.ts';
import type { WebSocketTransport } from '../../tunnel/websocket-transport.ts';
import { SUBPROTOCOL } from '../../tunnel/websocket-upgrade.ts';

export interface ProvingPorts {
  readonly relayId: string;
  readonly relayOrigin: string;
  readonly clock: Clock;
}

const parseClaims = parser(
  Type.Object({
    protocol: Type.String(),
    relay: Type.String(),
    challenge: Type.String(),
    credential: Type.String(),
  }),
  'The proof',
  'token_invalid',
);

/** Challenge and proof: whoever holds the credential must also hold the key that it names. */
export class Proving {
  readonly #ports: ProvingPorts;

  constructor(ports: ProvingPorts) {
    this.#ports = ports;
  }

  /** Undefined when proven; else why not, and the transport is closed. */
  async prove(
    transport: WebSocketTransport,
    credential: DeviceCredential,
  ): Promise<'proof_refused' | 'proof_timeout' | undefined> {
    const challenge = randomToken(32);
    transport.sendText(JSON.stringify({ type: 'challenge', relay: this.#ports.relayId, challenge }));
    try {
      const message = parseProof(await transport.receiveText(PROOF_TIMEOUT_MS));
      const { kid, key } = { kid: thumbprint(message.publicKey), key: publicKeyFromJwk(message.publicKey) };
      const verified = await verifyToken(message.proof, {
        type: 'postern-tunnel-proof+jwt',
        issuer: credential.agent,
        audience: this.#ports.relayOrigin,
        findKey: (name) => (name === kid && kid === credential.keyThumbprint ? key : undefined),
        maxAgeSeconds: 120,
        // The challenge makes it fresh; the clock only has to be roughly right.
        toleranceSeconds: 60,
        nowMs: this.#ports.clock(),
      });
      const claims = parseClaims(verified);
      const matches =
        verified.sub === credential.agent &&
        claims.protocol === SUBPROTOCOL &&
        claims.relay === this.#ports.relayId &&
        claims.challenge === challenge &&
        claims.credential === credential.jti;
      if (matches) return undefined;
      transport.close(closeCodeOf('proof_refused'), 'The proof does not fit the challenge.');
      return 'proof_refused';
    } catch (error) {
      const failure = hasCode(error, 'timeout') ? 'proof_timeout' : 'proof_refused';
      transport.close(closeCodeOf(failure), 'The key was not proven.');
      return failure;
    }
  }
}
