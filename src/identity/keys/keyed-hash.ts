import { createHmac, hkdfSync } from 'node:crypto';

/** Hex HMAC-SHA-256 under a key of its own: for texts so short that whoever has plain hashes could try them all. */
export function createKeyedHash(dataKey: Uint8Array, purpose: string): (text: string) => string {
  const key = Buffer.from(hkdfSync('sha256', dataKey, '', `postern ${purpose}`, 32));
  return (text) => createHmac('sha256', key).update(text).digest('hex');
}
