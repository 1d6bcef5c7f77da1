import { Type } from 'typebox';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';

/** The agent has this long to prove that it holds its key. */
export const PROOF_TIMEOUT_MS = 5000;

const PublicKey = Type.Object({
  kty: Type.Literal('OKP'),
  crv: Type.Literal('Ed25519'),
  x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
});

const Challenge = Type.Object({
  type: Type.Literal('challenge'),
  relay: Type.String({ minLength: 1, maxLength: 128 }),
  challenge: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
});

const Proof = Type.Object({
  type: Type.Literal('proof'),
  proof: Type.String({ maxLength: 4096 }),
  publicKey: PublicKey,
});

const Ready = Type.Object({
  type: Type.Literal('ready'),
  tunnel: Type.String({ minLength: 1, maxLength: 128 }),
  /** The relay's clock, epoch ms: receipts are judged by it. */
  now: Type.Integer({ minimum: 0 }),
});

export const parseChallenge = fromText(parser(Challenge, 'The challenge', 'protocol_violation'));
export const parseProof = fromText(parser(Proof, 'The proof', 'protocol_violation'));
export const parseReady = fromText(parser(Ready, 'The ready message', 'protocol_violation'));

function fromText<T>(parse: (value: unknown) => T): (text: string) => T {
  return (text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new PosternError('protocol_violation', 'A message of the handshake is not JSON.', { cause });
    }
    return parse(value);
  };
}
