import { and, eq, sql } from 'drizzle-orm';
import type { Profile, StoredPrincipal } from '../../domain/stored/principal.ts';
import type { Store, Tx } from '../open.ts';
import { boundEmail, principal } from './schema.ts';
import { answer } from './unavailable.ts';

type PrincipalRow = typeof principal.$inferSelect;

export function createPrincipalStore({ db, changes }: Pick<Store, 'db' | 'changes'>) {
  return {
    /** Creates or refreshes the principal of (issuer, subject); binds its e-mail if nobody holds it yet. */
    recordSignIn(profile: Profile, newId: string, nowMs: number): Promise<StoredPrincipal> {
      return answer(
        db.transaction(async (tx) => {
          const before = await findOrCreate(tx, profile, newId, nowMs);
          const bound = await bind(tx, before.id, profile.email, nowMs);
          const changed = bound.now || differs(before, profile);
          const [row = before] = await tx
            .update(principal)
            .set({
              email: profile.email ?? null,
              name: profile.name ?? null,
              groups: [...profile.groups],
              lastSignInAt: nowMs,
              ...(changed ? { epoch: sql`${principal.epoch} + 1` } : {}),
            })
            .where(eq(principal.id, before.id))
            .returning();
          if (changed) await changes.publish(tx, { kind: 'principal_changed', principal: row.id });
          return principalOf(row, bound.holds ? profile.email : undefined);
        }),
      );
    },
  };
}

/** A row with the e-mail that is bound to it. */
export function principalOf(row: PrincipalRow, bound: string | null | undefined): StoredPrincipal {
  return {
    id: row.id,
    kind: row.kind,
    issuer: row.issuer,
    subject: row.subject,
    email: row.email ?? undefined,
    boundEmail: bound ?? undefined,
    name: row.name ?? undefined,
    groups: row.groups,
    epoch: row.epoch,
  };
}

/** Locks the row, so that two sign-ins of one person follow each other. */
async function findOrCreate(tx: Tx, profile: Profile, id: string, nowMs: number): Promise<PrincipalRow> {
  const { issuer, subject } = profile;
  await tx
    .insert(principal)
    .values({
      id,
      kind: profile.kind ?? 'person',
      issuer,
      subject,
      email: profile.email ?? null,
      name: profile.name ?? null,
      groups: [...profile.groups],
      epoch: 1,
      firstSignInAt: nowMs,
      lastSignInAt: nowMs,
    })
    .onConflictDoNothing();
  const [row] = await tx
    .select()
    .from(principal)
    .where(and(eq(principal.issuer, issuer), eq(principal.subject, subject)))
    .for('update');
  if (!row) throw new Error('A principal vanished while it signed in.');
  return row;
}

async function bind(tx: Tx, id: string, email: string | undefined, nowMs: number) {
  if (email === undefined) return { holds: false, now: false };
  const inserted = await tx
    .insert(boundEmail)
    .values({ email, principal: id, boundAt: nowMs })
    .onConflictDoNothing()
    .returning();
  if (inserted.length > 0) return { holds: true, now: true };
  const [holder] = await tx.select().from(boundEmail).where(eq(boundEmail.email, email));
  return { holds: holder?.principal === id, now: false };
}

function differs(row: PrincipalRow, profile: Profile): boolean {
  return (
    row.email !== (profile.email ?? null) ||
    row.name !== (profile.name ?? null) ||
    JSON.stringify(row.groups) !== JSON.stringify(profile.groups)
  );
}
