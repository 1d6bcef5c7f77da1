import type { Principal } from '../principal.ts';

/** What the provider said about a person at a sign-in, or an admin about a service. */
export interface Profile {
  /** Default: a person. */
  readonly kind?: 'service';
  readonly issuer: string;
  readonly subject: string;
  /** Verified and in lower case, or undefined. */
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly groups: readonly string[];
}

export interface StoredPrincipal extends Principal {
  /** Grows with each change of what a decision may use. */
  readonly epoch: number;
}
