import type { StoredPrincipal } from './principal.ts';

/** Times are epoch ms. */
export interface NewService {
  readonly name: string;
  readonly principal: string;
  readonly description: string | undefined;
  readonly owner: string;
  readonly createdAt: number;
}

export interface StoredService extends Omit<NewService, 'principal'> {
  readonly principal: StoredPrincipal;
  readonly disabledAt: number | undefined;
}

/** `id` is that of the session, which records of its requests name. */
export interface StoredServiceToken {
  readonly id: string;
  readonly label: string | undefined;
  readonly scope: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  /** To the minute. */
  readonly lastUsedAt: number | undefined;
}

export interface NewServiceToken extends Omit<StoredServiceToken, 'lastUsedAt'> {
  readonly service: string;
  /** Hex SHA-256 of the token. */
  readonly hash: string;
  readonly factsHash: string;
  readonly principalEpoch: number;
}

/** The token instead of which a new one comes, and when it ends at the latest. */
export interface ReplacedToken {
  readonly id: string;
  readonly endsAt: number;
}
