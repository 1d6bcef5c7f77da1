import { and, desc, eq, gt, inArray, isNull } from 'drizzle-orm';
import type { Enrollment, StoredAgent, StoredEnrollmentToken } from '../../domain/stored/agent.ts';
import type { Store } from '../open.ts';
import { agent, clientAssertion, enrollmentToken } from './schema.ts';
import { answer } from './unavailable.ts';

/** Unredeemed tokens shown at once; there are at most eight of each agent. */
const MAX_TOKENS = 10_000;

/** More agents than one relay is made for; the list ends there. */
const MAX_AGENTS = 10_000;

export function createAgentStore({ db, changes }: Pick<Store, 'db' | 'changes'>) {
  return {
    async list(): Promise<readonly StoredAgent[]> {
      return (await answer(db.select().from(agent).orderBy(agent.name).limit(MAX_AGENTS))).map(agentOf);
    },

    async find(name: string): Promise<StoredAgent | undefined> {
      const [row] = await answer(db.select().from(agent).where(eq(agent.name, name)));
      return row && agentOf(row);
    },

    addEnrollmentToken(token: StoredEnrollmentToken, keep: number): Promise<void> {
      return answer(
        db.transaction(async (tx) => {
          await tx.insert(enrollmentToken).values({ ...token, scope: [...token.scope] });
          const beyond = tx
            .select({ hash: enrollmentToken.hash })
            .from(enrollmentToken)
            .where(eq(enrollmentToken.agent, token.agent))
            .orderBy(desc(enrollmentToken.createdAt))
            .offset(keep);
          await tx.delete(enrollmentToken).where(inArray(enrollmentToken.hash, beyond));
        }),
      );
    },

    /** The token's row is deleted first: of two at once one finds it. A key that is replaced loses its tunnels. */
    enroll(input: Enrollment): Promise<boolean> {
      return answer(
        db.transaction(async (tx) => {
          const used = await tx
            .delete(enrollmentToken)
            .where(
              and(
                eq(enrollmentToken.hash, input.tokenHash),
                eq(enrollmentToken.agent, input.agent),
                gt(enrollmentToken.expiresAt, input.nowMs),
              ),
            )
            .returning();
          const [token] = used;
          if (!token) return false;
          const [before] = await tx.select().from(agent).where(eq(agent.name, input.agent)).for('update');
          const now = {
            publicKey: input.publicKey,
            keyThumbprint: input.keyThumbprint,
            enrolledAt: input.nowMs,
            revokedAt: null,
            scope: token.scope,
          };
          await tx
            .insert(agent)
            .values({ name: input.agent, ...now })
            .onConflictDoUpdate({ target: agent.name, set: now });
          if (before) await changes.publish(tx, { kind: 'agent_revoked', agent: input.agent });
          return true;
        }),
      );
    },

    listEnrollmentTokens(nowMs: number): Promise<readonly StoredEnrollmentToken[]> {
      return answer(
        db
          .select()
          .from(enrollmentToken)
          .where(gt(enrollmentToken.expiresAt, nowMs))
          .orderBy(enrollmentToken.agent, enrollmentToken.createdAt)
          .limit(MAX_TOKENS),
      );
    },

    async revokeEnrollmentToken(hash: string): Promise<boolean> {
      const deleted = await answer(db.delete(enrollmentToken).where(eq(enrollmentToken.hash, hash)).returning());
      return deleted.length > 0;
    },

    drain(name: string, drainedAt: number | undefined): Promise<boolean> {
      return answer(
        db.transaction(async (tx) => {
          const changed = await tx
            .update(agent)
            .set({ drainedAt: drainedAt ?? null })
            .where(eq(agent.name, name))
            .returning();
          if (changed.length === 0) return false;
          await changes.publish(tx, { kind: 'agent_drained', agent: name, drained: drainedAt !== undefined });
          return true;
        }),
      );
    },

    revoke(name: string, nowMs: number): Promise<boolean> {
      return answer(
        db.transaction(async (tx) => {
          await tx.delete(enrollmentToken).where(eq(enrollmentToken.agent, name));
          const revoked = await tx
            .update(agent)
            .set({ revokedAt: nowMs })
            .where(and(eq(agent.name, name), isNull(agent.revokedAt)))
            .returning();
          if (revoked.length === 0) return false;
          await changes.publish(tx, { kind: 'agent_revoked', agent: name });
          return true;
        }),
      );
    },

    async rememberAssertion(name: string, jti: string, expiresAt: number): Promise<boolean> {
      const inserted = await answer(
        db.insert(clientAssertion).values({ agent: name, jti, expiresAt }).onConflictDoNothing().returning(),
      );
      return inserted.length > 0;
    },
  };
}

function agentOf(row: typeof agent.$inferSelect): StoredAgent {
  return { ...row, revokedAt: row.revokedAt ?? undefined, drainedAt: row.drainedAt ?? undefined };
}
