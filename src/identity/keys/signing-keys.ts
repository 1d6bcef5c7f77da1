import type { KeyObject } from 'node:crypto';
import type { PublicJwk } from '../../domain/public-jwk.ts';
import type { Clock } from '../../lib/clock.ts';
import { PosternError } from '../../lib/errors.ts';
import { generateSigningKey, pemOf, publicJwkOf, type SigningKey, signingKeyFromPem } from '../../token/key.ts';
import type { SigningKeyStore } from '../ports.ts';
import { DATA_KEY_FILE } from './data-key.ts';
import type { Seal } from './seal.ts';

/** The relay's Ed25519 keys: the newest signs, all verify. */
export interface KeyRing {
  readonly current: SigningKey;
  find(kid: string): KeyObject | undefined;
  /** RFC 7517 key set, for targets and agents. */
  readonly publicKeys: { readonly keys: readonly RelayKey[] };
}

type RelayKey = PublicJwk & { readonly kid: string; readonly alg: 'EdDSA'; readonly use: 'sig' };

/** Makes the first key when there is none; relays that start at once agree on one. */
export async function loadKeyRing(store: SigningKeyStore, seal: Seal, clock: Clock): Promise<KeyRing> {
  let stored = await store.list();
  if (stored.length === 0) {
    const key = generateSigningKey();
    await store.addFirst({ kid: key.kid, sealed: seal.seal(pemOf(key), key.kid), createdAt: clock() });
    stored = await store.list();
  }
  const keys = stored.map(({ kid, sealed }) => {
    const pem = seal.open(sealed, kid);
    if (pem !== undefined) return signingKeyFromPem(pem);
    throw new PosternError(
      'config_invalid',
      `The signing keys in the database do not open with ${DATA_KEY_FILE} in this data directory. It belongs to another database: restore the right file from your backup.`,
    );
  });
  const [current] = keys;
  if (!current) throw new PosternError('database_unavailable', 'The signing key was not stored.');
  const byKid = new Map(keys.map((key) => [key.kid, key.publicKey]));
  return {
    current,
    find: (kid) => byKid.get(kid),
    publicKeys: {
      keys: keys.map((key) => ({ ...publicJwkOf(key.publicKey), kid: key.kid, alg: 'EdDSA', use: 'sig' })),
    },
  };
}
