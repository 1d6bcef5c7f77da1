import type { EventBase } from './event-base.ts';

/** Programs with an identity of their own. `note` of the personal block: owner and description, or the token's label. */
export interface ServiceEvent extends EventBase {
  readonly kind:
    | 'service.created'
    | 'service.disabled'
    | 'service.enabled'
    | 'service.token_issued'
    | 'service.token_rotated'
    | 'service.token_revoked';
  readonly service: string;
  /** Id of the token: the session of its requests. */
  readonly token?: string;
  /** Names of the resources that it reaches. */
  readonly scope?: readonly string[];
  readonly expiresAt?: number;
  /** Id of the token in whose place it comes, and when that one ends. */
  readonly replaces?: string;
  readonly replacedEndsAt?: number;
}
