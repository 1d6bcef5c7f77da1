import type { KeyObject } from 'node:crypto';
import { Type } from 'typebox';
import type { Receipt } from '../domain/receipt.ts';
import type { Clock } from '../lib/clock.ts';
import { parser } from '../lib/schema.ts';
import { verifyToken } from '../token/jwt.ts';
import { publicKeyFromJwk } from '../token/key.ts';
import type { Enrolled } from './state.ts';

/** A receipt says "open within 10 s"; one that looks further ahead is not ours. */
const MAX_AHEAD_MS = 60_000;
const MAX_AGE_SECONDS = 60;
const TOLERANCE_SECONDS = 5;
/** Stream names remembered until their receipts expire. Beyond it streams are refused. */
const MAX_SEEN = 20_000;

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const Name = Type.String({ minLength: 1, maxLength: 256 });
const parseClaims = parser(
  Type.Object({
    relay: Name,
    agent: Name,
    tunnel: Name,
    stream: Name,
    sessionHash: Hash,
    resource: Name,
    destination: Type.Optional(Name),
    intent: Name,
    leafHash: Hash,
    openBefore: Type.Integer({ minimum: 0 }),
  }),
  'The receipt',
  'token_invalid',
);

export interface ReceiptScope {
  readonly enrolled: Enrolled;
  /** As the challenge and the ready message of this tunnel named them. */
  readonly relay: string;
  readonly tunnel: string;
  /** The relay's time, as far as we know it. */
  readonly clock: Clock;
}

/** Judges the receipts of one tunnel. Catches a relay's mistakes, not a stolen relay key. */
export class ReceiptCheck {
  readonly #scope: ReceiptScope;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  /** Stream name → openBefore, oldest first. */
  readonly #seen = new Map<string, number>();

  constructor(scope: ReceiptScope) {
    this.#scope = scope;
    this.#keys = new Map(scope.enrolled.relayKeys.keys.map((key) => [key.kid, publicKeyFromJwk(key)]));
  }

  /** The receipt when it opens a stream to `resource`, and there to `destination`, here and now, for the first time; else why not. */
  async check(token: string, resource: string, destination: string | undefined): Promise<Receipt | string> {
    const { enrolled, relay, tunnel, clock } = this.#scope;
    const now = clock();
    let receipt: Receipt;
    try {
      const verified = await verifyToken(token, {
        type: 'postern-receipt+jwt',
        issuer: enrolled.relay,
        audience: enrolled.agent,
        findKey: (kid) => this.#keys.get(kid),
        maxAgeSeconds: MAX_AGE_SECONDS,
        toleranceSeconds: TOLERANCE_SECONDS,
        nowMs: now,
      });
      receipt = parseClaims(verified);
      if (verified.sub !== receipt.resource) return 'its subject is not its resource';
    } catch (error) {
      return error instanceof Error ? error.message : 'it cannot be read';
    }
    if (receipt.agent !== enrolled.agent) return 'it is for another agent';
    if (receipt.relay !== relay) return 'it is from another relay';
    if (receipt.tunnel !== tunnel) return 'it is for another tunnel';
    if (receipt.resource !== resource) return 'it is for another resource';
    if (receipt.destination !== destination) return 'it is for another destination';
    if (receipt.openBefore <= now) return 'it came too late';
    if (receipt.openBefore > now + MAX_AHEAD_MS) return 'it looks too far ahead';
    return this.#once(receipt, now) ?? receipt;
  }

  #once(receipt: Receipt, now: number): string | undefined {
    for (const [stream, openBefore] of this.#seen) {
      if (openBefore > now) break;
      this.#seen.delete(stream);
    }
    if (this.#seen.has(receipt.stream)) return 'it was used before';
    if (this.#seen.size >= MAX_SEEN) return 'too many streams were opened at once';
    this.#seen.set(receipt.stream, receipt.openBefore);
    return undefined;
  }
}
