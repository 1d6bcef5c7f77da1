import type { PersonalBlock } from '../audit-event/event-base.ts';
import type { StoredPrincipal } from './principal.ts';

/** Hashes are hex SHA-256, times epoch ms. */
export interface NewSession {
  readonly id: string;
  readonly principal: string;
  readonly principalEpoch: number;
  /** Names the browser that signed in, across its sign-ins: signing out ends them all. */
  readonly browser: string;
  readonly factsHash: string;
  readonly signedInAt: number;
  readonly amr: readonly string[];
  readonly expiresAt: number;
  /** Sealed ID token, which some providers want back at sign-out. */
  readonly logoutHint: string | undefined;
  /** The relay host's own cookie. */
  readonly credential: NewCredential;
}

/** What opens a session: a cookie of one host, or a token for one audience. */
export interface NewCredential {
  readonly hash: string;
  readonly session: string;
  readonly kind: 'cookie' | 'token';
  /** As `domain/audience.ts` says it. */
  readonly audience: string;
  /** For people: which machine asked. */
  readonly label: string | undefined;
  /** Hash of the token through which this one was issued; it ends with that one. */
  readonly parent?: string | undefined;
  readonly createdAt: number;
  readonly expiresAt: number;
}

export interface StoredSession {
  readonly id: string;
  readonly principal: StoredPrincipal;
  readonly browser: string;
  readonly factsHash: string;
  /** Epoch of the principal when the facts were recorded. */
  readonly factsEpoch: number;
  readonly signedInAt: number;
  readonly amr: readonly string[];
  readonly expiresAt: number;
  readonly lastSeenAt: number;
  readonly logoutHint: string | undefined;
  /** A program's: it does not end for lack of use. */
  readonly unattended: boolean;
  /** Names of the resources that it reaches, whatever rules say. */
  readonly scope: readonly string[] | undefined;
  /** Of the credential by which it was found; the session's own otherwise. */
  readonly credentialExpiresAt: number;
}

export interface EndedSession {
  readonly id: string;
  readonly principal: string;
  /** Whose it was, for the record. */
  readonly person?: Pick<PersonalBlock, 'issuer' | 'subject' | 'email' | 'name'>;
  readonly logoutHint: string | undefined;
}

/** One, all of a browser, or all of a principal. */
export type WhichSessions = { readonly id: string } | { readonly browser: string } | { readonly principal: string };
