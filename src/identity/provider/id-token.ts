import { Type } from 'typebox';
import { PosternError } from '../../lib/errors.ts';
import { parser } from '../../lib/schema.ts';

export interface IdTokenExpectation {
  readonly issuer: string;
  readonly clientId: string;
  readonly nonce: string;
  readonly nowMs: number;
}

/** Asymmetric ones only: with `none` and HS256 anyone, or any holder of the client secret, could be the provider. */
const ALGORITHMS = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);
/** A token fresh from the token endpoint is this old at most, and this far ahead by clocks that differ. */
const MAX_AGE_SECONDS = 600;
const TOLERANCE_SECONDS = 60;

/**
 * What openid-client leaves open or optional, after it has verified the signature (OpenID Connect Core §3.1.3.7).
 * Rejects with `sign_in_refused`; the message is for the log.
 */
export function checkIdToken(idToken: string, expected: IdTokenExpectation): IdTokenClaims {
  const [header, payload] = idToken.split('.').map(decodePart);
  const { alg, typ } = parseHeader(header);
  if (!ALGORITHMS.has(alg)) refuse(`it is signed with ${alg}`);
  if (typ !== undefined && !/^(application\/)?jwt$/i.test(typ)) refuse(`its type is ${typ}`);

  const claims = parseClaims(payload);
  const now = Math.floor(expected.nowMs / 1000);
  if (claims.iss !== expected.issuer) refuse('it comes from another issuer');
  const audiences = [claims.aud].flat();
  if (!audiences.includes(expected.clientId)) refuse('it is for another client');
  if (claims.azp === undefined ? audiences.length > 1 : claims.azp !== expected.clientId) {
    refuse('it was issued to another client');
  }
  if (claims.nonce !== expected.nonce) refuse('its nonce is not that of this sign-in');
  if (claims.exp <= now - TOLERANCE_SECONDS) refuse('it has expired');
  if (claims.iat > now + TOLERANCE_SECONDS) refuse('it was issued in the future');
  if (claims.iat < now - MAX_AGE_SECONDS) refuse('it was issued too long ago');
  return claims;
}

export type IdTokenClaims = ReturnType<typeof parseClaims>;

const parseHeader = parser(
  Type.Object({ alg: Type.String(), typ: Type.Optional(Type.String()) }),
  'The header of the ID token',
  'sign_in_refused',
);

/** OpenID Connect Core §2: `sub` has at most 255 characters. */
const parseClaims = parser(
  Type.Object({
    iss: Type.String({ minLength: 1 }),
    sub: Type.String({ minLength: 1, maxLength: 255, pattern: '\\S' }),
    aud: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })]),
    azp: Type.Optional(Type.String()),
    nonce: Type.String(),
    exp: Type.Number(),
    iat: Type.Number(),
    amr: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })),
  }),
  'The ID token',
  'sign_in_refused',
);

function decodePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return undefined;
  }
}

function refuse(why: string): never {
  throw new PosternError(
    'sign_in_refused',
    `The provider's ID token was refused: ${why}. Sign in again; if it stays, tell whoever runs this relay.`,
  );
}
