import Type from 'typebox';
import { hasCode } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { callRelay } from './relay-api.ts';
import { notARelay } from './relay-exchange.ts';

/** Of somebody who waits at a terminal. */
const LIMIT_MS = 10_000;

/**
 * Resolves when a relay answers at this origin, by its public keys, which need no sign-in. Rejects with
 * `relay_unreachable` when nothing does, `request_invalid` when something else does, or `aborted`.
 */
export async function findRelay(relay: string, signal: AbortSignal, timeoutMs = LIMIT_MS): Promise<void> {
  let answer: unknown;
  try {
    answer = await callRelay({ relay, path: '/.well-known/jwks.json', signal, timeoutMs });
  } catch (error) {
    // A relay has them, for everybody.
    const withheld = (['not_found', 'unauthenticated', 'forbidden'] as const).some((code) => hasCode(error, code));
    throw withheld ? notARelay(relay) : error;
  }
  try {
    parseKeys(answer);
  } catch {
    throw notARelay(relay);
  }
}

const parseKeys = parser(
  Type.Object({
    keys: Type.Array(Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519') }), { minItems: 1 }),
  }),
  "The relay's keys",
  'request_invalid',
);
