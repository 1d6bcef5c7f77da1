import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  signToken,
  type TokenContent,
  type TokenExpectation,
  unverifiedSubject,
  verifyToken,
} from '../../src/token/jwt.ts';
import {
  generateSigningKey,
  pemOf,
  publicJwkOf,
  publicKeyFromJwk,
  signingKeyFromPem,
  thumbprint,
} from '../../src/token/key.ts';

const key = generateSigningKey();
const NOW = 1_800_000_000_000;
const content: TokenContent = {
  type: 'postern-device+jwt',
  issuer: 'https://relay.example',
  audience: 'https://relay.example',
  subject: 'office',
  lifeSeconds: 600,
  claims: { extra: 1 },
};
const expected: TokenExpectation = {
  type: 'postern-device+jwt',
  issuer: 'https://relay.example',
  audience: 'https://relay.example',
  findKey: (kid) => (kid === key.kid ? key.publicKey : undefined),
  maxAgeSeconds: 600,
  toleranceSeconds: 0,
  nowMs: NOW,
};

const refused = (token: string, more: Partial<TokenExpectation> = {}) =>
  assert.rejects(verifyToken(token, { ...expected, ...more }), { code: 'token_invalid' });

test('what was signed verifies, with its claims', async () => {
  const claims = await verifyToken(await signToken(key, content, 'j1', NOW), expected);
  assert.deepEqual(claims, {
    iss: content.issuer,
    aud: content.audience,
    sub: 'office',
    jti: 'j1',
    iat: NOW / 1000,
    exp: NOW / 1000 + 600,
    extra: 1,
  });
});

test('type, issuer, audience, key and time must be as expected', async () => {
  const token = await signToken(key, content, 'j1', NOW);
  await refused(token, { type: 'postern-receipt+jwt' });
  await refused(token, { issuer: 'https://other.example' });
  await refused(token, { audience: 'https://other.example' });
  await refused(token, { findKey: () => undefined });
  await refused(token, { findKey: () => generateSigningKey().publicKey });
  await refused(token, { nowMs: NOW + 601_000 });
  await refused(token, { nowMs: NOW - 1_000 });
  await refused(token, { maxAgeSeconds: 10, nowMs: NOW + 11_000 });
  await verifyToken(token, { ...expected, toleranceSeconds: 60, nowMs: NOW - 60_000 });
  await refused(token, { toleranceSeconds: 60, nowMs: NOW - 61_000 });
});

test('registered claims are required and whole', async () => {
  for (const [claim, value] of [
    ['iss', undefined],
    ['sub', undefined],
    ['sub', ''],
    ['aud', undefined],
    ['aud', [content.audience]],
    ['aud', [content.audience, 'https://other.example']],
    ['jti', undefined],
    ['jti', ''],
    ['iat', undefined],
    ['exp', undefined],
  ] as const) {
    await refused(forge({ alg: 'EdDSA', typ: content.type, kid: key.kid }, { [claim]: value }));
  }
  await verifyToken(forge({ alg: 'EdDSA', typ: content.type, kid: key.kid }, {}), expected);
});

test('headers that say something else are refused', async () => {
  for (const header of [
    { alg: 'none', typ: content.type, kid: key.kid },
    { alg: 'HS256', typ: content.type, kid: key.kid },
    { alg: 'EdDSA', kid: key.kid },
    { alg: 'EdDSA', typ: 'JWT', kid: key.kid },
    { alg: 'EdDSA', typ: content.type },
    { alg: 'EdDSA', typ: content.type, kid: 'other' },
    { alg: 'EdDSA', typ: content.type, kid: key.kid, crit: ['b64'], b64: false },
  ]) {
    await refused(forge(header, {}));
  }
});

test('one changed character is refused, or says the same', async () => {
  const token = await signToken(key, content, 'j1', NOW);
  const honest = await verifyToken(token, expected);
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length - 1), fc.constantFrom('A', 'B', '.', '=', ' ', '_', ''), async (at, char) => {
      const changed = token.slice(0, at) + char + token.slice(at + 1);
      try {
        assert.deepEqual(await verifyToken(changed, expected), honest);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'token_invalid');
      }
    }),
    { numRuns: 300 },
  );
});

test('text that is no token is refused', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), async (text) => {
      await refused(text);
      assert.equal(typeof unverifiedSubject(text) === 'string', false);
    }),
  );
});

test('a key has one name, whatever form it came in', () => {
  const jwk = publicJwkOf(key.publicKey);
  assert.equal(thumbprint(jwk), key.kid);
  assert.equal(signingKeyFromPem(pemOf(key)).kid, key.kid);
  assert.deepEqual(publicJwkOf(publicKeyFromJwk(jwk)), jwk);
  // RFC 8037 Appendix A.3.
  const rfc = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' } as const;
  assert.equal(thumbprint(rfc), 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k');
});

function forge(header: object, claims: Record<string, unknown>): string {
  const { issuer, audience, subject } = content;
  const iat = NOW / 1000;
  const payload = { iss: issuer, aud: audience, sub: subject, jti: 'j', iat, exp: iat + 600, ...claims };
  const signed = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString('base64url')}`;
}
