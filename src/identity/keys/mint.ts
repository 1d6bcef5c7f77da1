import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { deriveKey } from './derive-key.ts';

/** Makes the opaque texts that open a session (cookies, tokens, codes) and knows its own by their form alone. */
export interface Mint {
  /** 256 random bits and a tag: 64 characters of base64url. */
  mint(): string;
  /** False for what nobody was ever given, so that strangers who guess cost no look into the database. */
  isOurs(text: string): boolean;
}

const RANDOM_BYTES = 32;
const TAG_BYTES = 16;
const FORM = /^[A-Za-z0-9_-]{64}$/;

/** The tag is HMAC-SHA-256 under a key of its own. It grants nothing: whether a text opens something is the database's word. */
export function createMint(dataKey: Uint8Array): Mint {
  const key = deriveKey(dataKey, 'credentials');
  const tagOf = (random: Uint8Array) => createHmac('sha256', key).update(random).digest().subarray(0, TAG_BYTES);
  return {
    mint() {
      const random = randomBytes(RANDOM_BYTES);
      return Buffer.concat([random, tagOf(random)]).toString('base64url');
    },
    isOurs(text) {
      if (!FORM.test(text)) return false;
      const bytes = Buffer.from(text, 'base64url');
      return timingSafeEqual(tagOf(bytes.subarray(0, RANDOM_BYTES)), bytes.subarray(RANDOM_BYTES));
    },
  };
}
