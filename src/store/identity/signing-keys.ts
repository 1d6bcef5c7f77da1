import { desc } from 'drizzle-orm';
import type { StoredSigningKey } from '../../domain/stored/signing-key.ts';
import type { Store } from '../open.ts';
import { signingKey } from './schema.ts';
import { answer } from './unavailable.ts';

export function createSigningKeyStore({ db }: Pick<Store, 'db'>) {
  return {
    async list(): Promise<readonly StoredSigningKey[]> {
      return answer(db.select().from(signingKey).orderBy(desc(signingKey.ordinal)));
    },

    /** Of relays that start at once one adds its key; the others read it. */
    async addFirst(key: StoredSigningKey): Promise<void> {
      await answer(
        db
          .insert(signingKey)
          .values({ ...key, ordinal: 1 })
          .onConflictDoNothing(),
      );
    },
  };
}
