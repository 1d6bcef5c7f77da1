import { lte } from 'drizzle-orm';
import type { Store } from '../open.ts';
import { clientAssertion, deviceCode, enrollmentToken, session, sessionCode, sessionCredential } from './schema.ts';
import { answer } from './unavailable.ts';

/** An ended session is kept this long, for those who ask why theirs ended. */
const KEEP_ENDED_MS = 24 * 3_600_000;

export function createExpiryStore({ db }: Pick<Store, 'db'>) {
  return {
    /** Deletes what is of no more use. Each table by itself, so that nobody waits long for the connection. */
    async deleteExpired(nowMs: number): Promise<void> {
      for (const table of [sessionCode, deviceCode, clientAssertion, enrollmentToken, sessionCredential]) {
        await answer(db.delete(table).where(lte(table.expiresAt, nowMs)));
      }
      await answer(db.delete(session).where(lte(session.endedAt, nowMs - KEEP_ENDED_MS)));
    },
  };
}
