import { desc, eq, inArray } from 'drizzle-orm';
import type { CodeBinding, NewCode, RedeemedCode } from '../../domain/stored/code.ts';
import type { Store } from '../open.ts';
import { sessionCode } from './schema.ts';
import { answer } from './unavailable.ts';

export function createCodeStore({ db }: Pick<Store, 'db'>) {
  return {
    add(code: NewCode, keep: number): Promise<void> {
      return answer(
        db.transaction(async (tx) => {
          await tx.insert(sessionCode).values({ ...code, label: code.label ?? null });
          const beyond = tx
            .select({ hash: sessionCode.hash })
            .from(sessionCode)
            .where(eq(sessionCode.session, code.session))
            .orderBy(desc(sessionCode.expiresAt))
            .offset(keep);
          await tx.delete(sessionCode).where(inArray(sessionCode.hash, beyond));
        }),
      );
    },

    /** One statement: of two at once one gets it. Presented with the wrong binding it is used up as well. */
    async redeem(code: CodeBinding, nowMs: number): Promise<RedeemedCode | undefined> {
      const [row] = await answer(db.delete(sessionCode).where(eq(sessionCode.hash, code.hash)).returning());
      const isBound =
        row !== undefined &&
        row.kind === code.kind &&
        row.audience === code.audience &&
        row.challenge === code.challenge &&
        row.expiresAt > nowMs;
      return isBound ? { session: row.session, label: row.label ?? undefined } : undefined;
    },
  };
}
