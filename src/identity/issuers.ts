import type { Receipt, ReceiptRequest } from '../domain/receipt.ts';
import type { Resource } from '../domain/resource.ts';
import type { Identity } from '../domain/session.ts';
import { randomToken, sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { dropOldest } from '../lib/drop-oldest.ts';
import { signToken } from '../token/jwt.ts';
import type { KeyRing } from './keys/signing-keys.ts';

export interface IssuerDeps {
  readonly keys: KeyRing;
  /** Origin of the relay's own host: `iss` of everything it signs. */
  readonly relayOrigin: string;
  readonly clock: Clock;
}

const ASSERTION_LIFE_SECONDS = 60;
/** An assertion with less life than this is not used again. */
const ASSERTION_REUSE_MS = 30_000;
/** Assertions kept for reuse; beyond it the oldest leaves and is signed again when wanted. */
const MAX_ASSERTIONS = 20_000;
const RECEIPT_LIFE_SECONDS = 10;

/** Structurally the `AssertionIssuer` of the gateway. One signature serves a session and resource for half a minute. */
export function createAssertionIssuer({ keys, relayOrigin, clock }: IssuerDeps) {
  const kept = new Map<string, { readonly token: Promise<string>; readonly expiresAt: number }>();

  function sign({ session }: Identity, resource: Resource, now: number): Promise<string> {
    const { principal } = session;
    return signToken(
      keys.current,
      {
        type: 'postern-assertion+jwt',
        issuer: relayOrigin,
        audience: resource.origin,
        // Unique at this relay and for ever, which the provider's own subject is only together with its issuer.
        subject: principal.id,
        lifeSeconds: ASSERTION_LIFE_SECONDS,
        claims: {
          sid: session.id,
          groups: principal.groups,
          ...(principal.email === undefined ? {} : { email: principal.email }),
          ...(principal.name === undefined ? {} : { name: principal.name }),
        },
      },
      randomToken(16),
      now,
    );
  }

  return {
    issue(identity: Identity, resource: Resource): Promise<string> {
      const now = clock();
      const key = `${identity.session.id} ${identity.session.epoch} ${resource.origin}`;
      const known = kept.get(key);
      if (known && known.expiresAt - now >= ASSERTION_REUSE_MS) return known.token;
      const token = sign(identity, resource, now);
      kept.delete(key);
      kept.set(key, { token, expiresAt: now + ASSERTION_LIFE_SECONDS * 1000 });
      token.catch(() => kept.delete(key));
      dropOldest(kept, MAX_ASSERTIONS);
      return token;
    },
  };
}

/** Structurally the `ReceiptIssuer` of the gateway. `relayId` is the relay's id as in records. */
export function createReceiptIssuer({ keys, relayOrigin, clock }: IssuerDeps, relayId: string) {
  return {
    issue(request: ReceiptRequest): Promise<string> {
      const now = clock();
      const { agent, tunnel, stream, intent, leafHash } = request;
      const receipt: Receipt = {
        relay: relayId,
        agent,
        tunnel,
        stream,
        sessionHash: sha256Hex(request.session.id),
        resource: request.resource.name,
        ...(request.destination === undefined ? {} : { destination: request.destination }),
        intent,
        leafHash,
        openBefore: now + RECEIPT_LIFE_SECONDS * 1000,
      };
      return signToken(
        keys.current,
        {
          type: 'postern-receipt+jwt',
          issuer: relayOrigin,
          audience: agent,
          subject: receipt.resource,
          lifeSeconds: RECEIPT_LIFE_SECONDS,
          claims: { ...receipt },
        },
        randomToken(16),
        now,
      );
    },
  };
}
