import type { Principal } from './principal.ts';

/** A principal's login at the relay. */
export interface Session {
  /** UUIDv7. A name for people and records; opens nothing (the cookie is another value). */
  readonly id: string;
  readonly principal: Principal;
  /** Hex SHA-256 under which the facts of this session (claims, groups, how it signed in) are stored. */
  readonly factsHash: string;
  readonly signedInAt: number;
  readonly method: 'oidc' | 'local' | 'none';
  /** RFC 8176 authentication methods, as the provider stated them. */
  readonly amr: readonly string[];
  /** Absolute end, epoch ms. The idle end moves and is the session store's business. */
  readonly expiresAt: number;
  /** Of service tokens: names of the resources that it reaches, whatever rules say. Undefined: no such bound. */
  readonly scope?: readonly string[] | undefined;
  /** Grows whenever something that a decision may use changes (groups, disabled, revoked). */
  readonly epoch: number;
}

/** A session as one request presented it. `address`: known only by the address from which it leased a port. */
export interface Identity {
  readonly session: Session;
  readonly via: 'cookie' | 'token' | 'address' | 'anonymous';
}

/** What opened a session, kept so that it can be read again; nobody can present it. */
export interface Presented {
  /** Hex SHA-256 of the cookie or token. */
  readonly hash: string;
  /** What it is for, as identity names it. */
  readonly audience: string;
}
