import { and, desc, eq, inArray, sql } from 'drizzle-orm';
import { plainAudience } from '../../domain/audience.ts';
import type { NewCredential } from '../../domain/stored/session.ts';
import type { Store } from '../open.ts';
import { principal, session, sessionCredential } from './schema.ts';
import { answer } from './unavailable.ts';

/** What opens sessions. */
export function createCredentialStore({ db, changes }: Pick<Store, 'db' | 'changes'>) {
  return {
    addCredential(credential: NewCredential, keep: number): Promise<void> {
      return answer(
        db.transaction(async (tx) => {
          await tx.insert(sessionCredential).values({ ...credential, label: credential.label ?? null });
          const same = and(
            eq(sessionCredential.session, credential.session),
            eq(sessionCredential.audience, credential.audience),
          );
          const beyond = tx
            .select({ hash: sessionCredential.hash })
            .from(sessionCredential)
            .where(same)
            .orderBy(desc(sessionCredential.createdAt))
            .offset(keep);
          const displaced = await tx
            .delete(sessionCredential)
            .where(inArray(sessionCredential.hash, beyond))
            .returning();
          if (displaced.length === 0) return;
          // Every relay may have it in memory.
          const [owner] = await tx
            .select({ id: session.principal })
            .from(session)
            .where(eq(session.id, credential.session));
          if (owner) await changes.publish(tx, { kind: 'principal_changed', principal: owner.id });
        }),
      );
    },

    revokeCredential(hash: string) {
      return answer(
        db.transaction(async (tx) => {
          const [revoked] = await tx.delete(sessionCredential).where(eq(sessionCredential.hash, hash)).returning();
          if (!revoked) return undefined;
          // A new epoch: what another credential of the session has in memory must not stand for this one.
          const [owner] = await tx
            .update(principal)
            .set({ epoch: sql`${principal.epoch} + 1` })
            .from(session)
            .where(and(eq(session.id, revoked.session), eq(principal.id, session.principal)))
            .returning({ id: principal.id });
          if (!owner) return undefined;
          await changes.publish(tx, { kind: 'principal_changed', principal: owner.id });
          return { principal: owner.id, audience: plainAudience(revoked.audience) };
        }),
      );
    },
  };
}
