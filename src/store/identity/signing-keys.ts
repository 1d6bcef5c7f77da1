import { desc } from 'drizzle-orm';
import type { Store } from '../open.ts';
import { signingKey } from './schema.ts';
import { answer } from './unavailable.ts';

export interface SigningKeyInput {
  readonly kid: string;
  readonly sealed: string;
  readonly createdAt: number;
}

export function createSigningKeyStore({ db }: Pick<Store, 'db'>) {
  return {
    async list(): Promise<readonly SigningKeyInput[]> {
      return answer(db.select().from(signingKey).orderBy(desc(signingKey.ordinal)));
    },

    /** Of relays that start at once one adds its key; the others read it. */
    async addFirst(key: SigningKeyInput): Promise<void> {
      await answer(
        db
          .insert(signingKey)
          .values({ ...key, ordinal: 1 })
          .onConflictDoNothing(),
      );
    },
  };
}
