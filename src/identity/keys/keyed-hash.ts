import { createHmac } from 'node:crypto';
import { deriveKey } from './derive-key.ts';

/** Hex HMAC-SHA-256 under a key of its own: for texts so short that whoever has plain hashes could try them all. */
export function createKeyedHash(dataKey: Uint8Array, purpose: string): (text: string) => string {
  const key = deriveKey(dataKey, purpose);
  return (text) => createHmac('sha256', key).update(text).digest('hex');
}
