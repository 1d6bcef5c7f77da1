import { hkdfSync } from 'node:crypto';
import { loadDataKey } from '../identity/keys/data-key.ts';

/** Key of the hashes that stand for query values in the log; relays that share a data key share it, so equal values can be told. */
export function loadQueryKey(dataDir: string): Uint8Array {
  return Buffer.from(hkdfSync('sha256', loadDataKey(dataDir), '', 'postern recorded query values', 32));
}
