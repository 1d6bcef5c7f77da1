import type { PublicJwk } from '../public-jwk.ts';

/** Times are epoch ms. */
export interface StoredAgent {
  readonly name: string;
  readonly publicKey: PublicJwk;
  /** RFC 7638: base64url SHA-256 of its public key. */
  readonly keyThumbprint: string;
  readonly enrolledAt: number;
  readonly revokedAt: number | undefined;
  /** What it may announce beyond the relay's file: names, `*` for any characters. */
  readonly scope: readonly string[];
  readonly drainedAt: number | undefined;
}

export interface StoredEnrollmentToken {
  /** Hex SHA-256 of the token. */
  readonly hash: string;
  readonly agent: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly scope: readonly string[];
}

export interface Enrollment {
  readonly tokenHash: string;
  readonly agent: string;
  readonly publicKey: PublicJwk;
  readonly keyThumbprint: string;
  readonly nowMs: number;
}
