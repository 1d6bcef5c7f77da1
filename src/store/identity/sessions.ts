import { and, desc, eq, gt, inArray, isNull, lt, lte, or, type SQL, sql } from 'drizzle-orm';
import type { RevocationReason } from '../../domain/change.ts';
import type { EndedSession, NewSession, StoredSession, WhichSessions } from '../../domain/stored/session.ts';
import type { Store, Tx } from '../open.ts';
import { createCredentialStore } from './credentials.ts';
import { principalOf } from './principals.ts';
import { boundEmail, principal, session, sessionCredential } from './schema.ts';
import { answer } from './unavailable.ts';

export function createSessionStore({ db, changes }: Pick<Store, 'db' | 'changes'>) {
  async function publishEnds(tx: Tx, ended: readonly { id: string }[], reason: RevocationReason): Promise<void> {
    for (const { id } of ended) await changes.publish(tx, { kind: 'session_revoked', session: id, reason });
  }

  return {
    ...createCredentialStore({ db, changes }),

    create(input: NewSession, keep: number): Promise<readonly EndedSession[]> {
      return answer(
        db.transaction(async (tx) => {
          await tx.insert(session).values({
            id: input.id,
            principal: input.principal,
            browser: input.browser,
            factsHash: input.factsHash,
            factsEpoch: input.principalEpoch,
            signedInAt: input.signedInAt,
            amr: [...input.amr],
            expiresAt: input.expiresAt,
            lastSeenAt: input.signedInAt,
            logoutHint: input.logoutHint ?? null,
          });
          await tx.insert(sessionCredential).values({ ...input.credential, label: input.credential.label ?? null });
          const beyond = tx
            .select({ id: session.id })
            .from(session)
            .where(and(eq(session.principal, input.principal), isNull(session.endedAt)))
            .orderBy(desc(session.signedInAt), desc(session.id))
            .offset(keep);
          const ended = await endWhere(tx, inArray(session.id, beyond), 'session_revoked', input.signedInAt);
          await publishEnds(tx, ended, 'session_revoked');
          return ended;
        }),
      );
    },

    async findByCredential(
      hash: string,
      audiences: readonly string[],
      nowMs: number,
      idleMs: number,
    ): Promise<StoredSession | undefined> {
      const rows = await answer(
        db
          .select({ session, principal, bound: boundEmail.email, credentialExpiresAt: sessionCredential.expiresAt })
          .from(sessionCredential)
          .innerJoin(session, eq(session.id, sessionCredential.session))
          .innerJoin(principal, eq(principal.id, session.principal))
          .leftJoin(boundEmail, HOLDS)
          .where(
            and(
              eq(sessionCredential.hash, hash),
              inArray(sessionCredential.audience, [...audiences]),
              gt(sessionCredential.expiresAt, nowMs),
              alive(nowMs, idleMs),
            ),
          ),
      );
      return rows[0] && sessionOf(rows[0]);
    },

    async find(id: string, nowMs: number, idleMs: number): Promise<StoredSession | undefined> {
      const rows = await answer(selectSessions(db).where(and(eq(session.id, id), alive(nowMs, idleMs))));
      return rows[0] && sessionOf(rows[0]);
    },

    async list(
      ofPrincipal: string | undefined,
      nowMs: number,
      idleMs: number,
      limit: number,
      before?: string,
    ): Promise<readonly StoredSession[]> {
      const mine = ofPrincipal === undefined ? undefined : eq(session.principal, ofPrincipal);
      // Ids sort by the time of sign-in.
      const older = before === undefined ? undefined : lt(session.id, before);
      const rows = await answer(
        selectSessions(db)
          .where(and(mine, older, eq(session.unattended, false), alive(nowMs, idleMs)))
          .orderBy(desc(session.id))
          .limit(limit),
      );
      return rows.map(sessionOf);
    },

    async touch(id: string, nowMs: number): Promise<void> {
      await answer(
        db
          .update(session)
          .set({ lastSeenAt: sql`greatest(${session.lastSeenAt}, ${nowMs}::bigint)` })
          .where(eq(session.id, id)),
      );
    },

    async updateFacts(id: string, factsHash: string, principalEpoch: number): Promise<void> {
      await answer(
        db
          .update(session)
          .set({ factsHash, factsEpoch: principalEpoch })
          .where(and(eq(session.id, id), lte(session.factsEpoch, principalEpoch))),
      );
    },

    end(which: WhichSessions, reason: RevocationReason, nowMs: number): Promise<readonly EndedSession[]> {
      const same =
        'id' in which
          ? eq(session.id, which.id)
          : 'browser' in which
            ? eq(session.browser, which.browser)
            : eq(session.principal, which.principal);
      return answer(
        db.transaction(async (tx) => {
          const ended = await endWhere(tx, and(same, isNull(session.endedAt)), reason, nowMs);
          await publishEnds(tx, ended, reason);
          return ended;
        }),
      );
    },

    endExpired(nowMs: number, idleMs: number, limit: number): Promise<readonly EndedSession[]> {
      return answer(
        db.transaction(async (tx) => {
          const over = tx
            .select({ id: session.id })
            .from(session)
            .where(
              and(
                isNull(session.endedAt),
                or(lte(session.expiresAt, nowMs), and(attended, lte(session.lastSeenAt, nowMs - idleMs))),
              ),
            )
            .limit(limit)
            .for('update', { skipLocked: true });
          const ended = await endWhere(tx, inArray(session.id, over), 'session_expired', nowMs);
          await publishEnds(tx, ended, 'session_expired');
          return ended;
        }),
      );
    },
  };
}

const attended = eq(session.unattended, false);
const HOLDS = and(eq(boundEmail.email, principal.email), eq(boundEmail.principal, principal.id));

function alive(nowMs: number, idleMs: number): SQL | undefined {
  return and(
    isNull(session.endedAt),
    gt(session.expiresAt, nowMs),
    or(session.unattended, gt(session.lastSeenAt, nowMs - idleMs)),
  );
}

function selectSessions(db: Store['db']) {
  return db
    .select({ session, principal, bound: boundEmail.email, credentialExpiresAt: session.expiresAt })
    .from(session)
    .innerJoin(principal, eq(principal.id, session.principal))
    .leftJoin(boundEmail, HOLDS)
    .$dynamic();
}

interface SessionRow {
  readonly session: typeof session.$inferSelect;
  readonly principal: typeof principal.$inferSelect;
  readonly bound: string | null;
  readonly credentialExpiresAt: number;
}

function sessionOf(row: SessionRow): StoredSession {
  const { id, browser, factsHash, factsEpoch, signedInAt, amr, expiresAt, lastSeenAt } = row.session;
  const { logoutHint, unattended, scope } = row.session;
  return {
    id,
    principal: principalOf(row.principal, row.bound),
    browser,
    factsHash,
    factsEpoch,
    signedInAt,
    amr,
    expiresAt,
    lastSeenAt,
    logoutHint: logoutHint ?? undefined,
    unattended,
    scope: scope ?? undefined,
    credentialExpiresAt: row.credentialExpiresAt,
  };
}

async function endWhere(
  tx: Tx,
  where: SQL | undefined,
  reason: RevocationReason,
  nowMs: number,
): Promise<readonly EndedSession[]> {
  const rows = await tx
    .update(session)
    .set({ endedAt: nowMs, endReason: reason })
    .where(where)
    .returning({ id: session.id, principal: session.principal, logoutHint: session.logoutHint });
  const people = await peopleOf(
    tx,
    rows.map((row) => row.principal),
  );
  return rows.map((row) => {
    const person = people.get(row.principal);
    return { ...row, logoutHint: row.logoutHint ?? undefined, ...(person === undefined ? {} : { person }) };
  });
}

/** Who principals are, as a record says it. */
async function peopleOf(tx: Tx, ids: readonly string[]) {
  const { id, issuer, subject, email, name } = principal;
  const rows =
    ids.length === 0
      ? []
      : await tx
          .select({ id, issuer, subject, email, name })
          .from(principal)
          .where(inArray(id, [...new Set(ids)]));
  return new Map(
    rows.map((row) => [
      row.id,
      {
        issuer: row.issuer,
        subject: row.subject,
        ...(row.email === null ? {} : { email: row.email }),
        ...(row.name === null ? {} : { name: row.name }),
      },
    ]),
  );
}
