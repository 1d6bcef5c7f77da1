import { loadDataKey } from '../identity/keys/data-key.ts';
import { deriveKey } from '../identity/keys/derive-key.ts';

/** Key of the hashes that stand for query values in the log; relays that share a data key share it, so equal values can be told. */
export function loadQueryKey(dataDir: string): Uint8Array {
  return deriveKey(loadDataKey(dataDir), 'recorded query values');
}
