import type { EventBase } from './event-base.ts';

/** Refusals of people and machines without a principal, summed per network (/24, /48) and reason. */
export interface StrangersRefused extends EventBase {
  readonly kind: 'strangers.refused';
  readonly reason: string;
  readonly count: number;
  readonly since: number;
}

/** Requests of one signed-in principal beyond the rate, answered with 429 and summed. */
export interface AccessThrottled extends EventBase {
  readonly kind: 'access.throttled';
  readonly count: number;
  readonly since: number;
}
