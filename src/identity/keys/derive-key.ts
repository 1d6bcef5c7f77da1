import { hkdfSync } from 'node:crypto';

/** 32 bytes for one purpose alone (HKDF, RFC 5869, with SHA-256): what is made under one says nothing under another. */
export function deriveKey(dataKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', dataKey, '', `postern ${purpose}`, 32));
}
