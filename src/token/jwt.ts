import type { KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, errors as joseErrors, jwtVerify, SignJWT } from 'jose';
import { PosternError } from '../lib/errors.ts';
import type { SigningKey } from './key.ts';

/** Closed: a token of one type is never accepted where another is expected (RFC 8725 §3.11). */
export type TokenType =
  | 'postern-assertion+jwt'
  | 'postern-receipt+jwt'
  | 'postern-device+jwt'
  | 'postern-client-assertion+jwt'
  | 'postern-tunnel-proof+jwt';

export interface TokenContent {
  readonly type: TokenType;
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  readonly lifeSeconds: number;
  /** Further claims; must not repeat a registered one. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export interface TokenExpectation {
  readonly type: TokenType;
  readonly issuer: string;
  readonly audience: string;
  /** Public key for a `kid`, or undefined: then the token is refused. */
  readonly findKey: (kid: string) => KeyObject | undefined;
  readonly maxAgeSeconds: number;
  /** Allowed difference of clocks. */
  readonly toleranceSeconds: number;
  readonly nowMs: number;
}

/** Registered claims that `verifyToken` has checked; the others are still unknown and the caller parses them. */
export type VerifiedClaims = JWTPayload & {
  iss: string;
  sub: string;
  aud: string;
  jti: string;
  iat: number;
  exp: number;
};

/** Ed25519 compact JWS. `jti` is new for each token: revocation and replay are keyed on it, never on the text (one token has many texts). */
export function signToken(key: SigningKey, content: TokenContent, jti: string, nowMs: number): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000);
  return new SignJWT(content.claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: content.type, kid: key.kid })
    .setIssuer(content.issuer)
    .setAudience(content.audience)
    .setSubject(content.subject)
    .setJti(jti)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + content.lifeSeconds)
    .sign(key.privateKey);
}

/** Every claim that jose leaves optional is required here. Rejects with `token_invalid`. */
export async function verifyToken(token: string, expected: TokenExpectation): Promise<VerifiedClaims> {
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = kid === undefined ? undefined : expected.findKey(kid);
    if (!key) throw new PosternError('token_invalid', 'The token is signed with a key that is not known here.');
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      typ: expected.type,
      issuer: expected.issuer,
      audience: expected.audience,
      maxTokenAge: expected.maxAgeSeconds,
      clockTolerance: expected.toleranceSeconds,
      currentDate: new Date(expected.nowMs),
      requiredClaims: ['iss', 'aud', 'sub', 'jti', 'iat', 'exp'],
    });
    const { iss, sub, aud, jti, iat, exp } = payload;
    if (!iss || !sub || !jti || typeof aud !== 'string' || iat === undefined || exp === undefined) {
      throw new PosternError('token_invalid', 'The token has an empty or repeated registered claim.');
    }
    return { ...payload, iss, sub, aud, jti, iat, exp };
  } catch (cause) {
    if (cause instanceof PosternError) throw cause;
    const detail = cause instanceof joseErrors.JOSEError ? cause.message : 'it cannot be read';
    throw new PosternError('token_invalid', `The token was refused: ${detail}.`, { cause });
  }
}

/** Whom an unverified token says it is about, to find the key that would verify it; undefined for what is no token. */
export function unverifiedSubject(token: string): string | undefined {
  try {
    return decodeJwt(token).sub;
  } catch {
    return undefined;
  }
}
