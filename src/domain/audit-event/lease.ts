import type { LeaseEnd } from '../lease.ts';
import type { EventBase } from './event-base.ts';

/** Before the port is told. Of the decision as in an intent; a denied lease is an intent with effect deny. */
export interface LeaseOpened extends EventBase {
  readonly kind: 'lease.opened';
  readonly resource: string;
  readonly port: number;
  /** How many it takes. */
  readonly connections: number;
  /** Until then they may begin, epoch ms. */
  readonly expiresAt: number;
  readonly rule?: string | undefined;
  readonly policyVersion: string;
}

/** It takes no more connections, and none is open any more. Of its holder, whoever ended it. */
export interface LeaseEnded extends EventBase {
  readonly kind: 'lease.ended';
  /** Id of its `lease.opened`. */
  readonly lease: string;
  readonly resource: string;
  readonly reason: LeaseEnd;
  /** Connections that it took. */
  readonly begun: number;
  /** Principal id of who ended it, when it was not the holder. */
  readonly by?: string | undefined;
}
