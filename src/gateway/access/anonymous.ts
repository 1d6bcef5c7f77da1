import { ANONYMOUS } from '../../domain/principal.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity } from '../../domain/session.ts';
import { clientNetwork } from '../../lib/networks.ts';
import { RateLimiter } from '../../lib/rate.ts';
import type { Bounds } from '../limits.ts';
import type { RequestHead } from './1-read.ts';
import type { Identified } from './3-identify.ts';

const ALL = 'all';
/** Ids of real sessions are UUIDs. */
const PREFIX = 'anonymous ';

/**
 * Who a stranger is to the rest of the door, should a rule for `anyone` let them in. The session stands for one client
 * address at one resource: what is bounded per session holds for it, and no stream carries a person and a stranger.
 */
export function anonymous(resource: Resource, head: RequestHead): Identified {
  const session = {
    id: `${PREFIX}${resource.name} ${clientNetwork(head.address)}`,
    principal: ANONYMOUS,
    factsHash: '',
    signedInAt: 0,
    method: 'none' as const,
    amr: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
    epoch: 0,
  };
  return { identity: { session, via: 'anonymous' }, credential: { via: 'anonymous', text: '', audience: '' } };
}

export function isAnonymous(identity: Identity): boolean {
  return identity.via === 'anonymous';
}

export function isAnonymousSession(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** Keeps strangers from filling the log; the pool keeps them from taking every place. */
export class AnonymousGate {
  readonly #byNetwork: RateLimiter;
  readonly #ofAll: RateLimiter;

  constructor(bounds: Bounds) {
    this.#byNetwork = new RateLimiter(bounds.anonymousRate);
    this.#ofAll = new RateLimiter(bounds.anonymousRateOfAll);
  }

  admits(head: RequestHead, nowMs: number): boolean {
    return this.#byNetwork.take(clientNetwork(head.address), nowMs) && this.#ofAll.take(ALL, nowMs);
  }
}
