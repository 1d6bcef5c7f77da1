import type { EventBase } from './event-base.ts';

export interface TokenIssued extends EventBase {
  readonly kind: 'token.issued';
  readonly audience: string;
  readonly expiresAt: number;
  /** How a command line got it: a redirect to its own machine, a code that the person typed, or through another token. `note` of the personal block is the machine. */
  readonly via?: 'loopback' | 'device' | 'token';
}

/** A command line signed out: its token and those that were issued through it are over, the session goes on. */
export interface TokenRevoked extends EventBase {
  readonly kind: 'token.revoked';
  readonly audience: string;
}
