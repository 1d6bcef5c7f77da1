import { and, count, desc, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import { SERVICE_AUDIENCE } from '../../domain/audience.ts';
import type {
  NewService,
  NewServiceToken,
  ReplacedToken,
  StoredService,
  StoredServiceToken,
} from '../../domain/stored/service.ts';
import type { Store, Tx } from '../open.ts';
import { principalOf } from './principals.ts';
import { principal, service, session, sessionCredential } from './schema.ts';
import { answer } from './unavailable.ts';

/** In the rows of `session`: what is not of people and sees no use yet. */
const NEVER_USED = 0;

export function createServiceStore({ db, changes }: Pick<Store, 'db' | 'changes'>) {
  const tokensOf = (tx: Tx, principals: readonly string[], nowMs: number) =>
    tx
      .select({ session, label: sessionCredential.label })
      .from(session)
      .innerJoin(sessionCredential, eq(sessionCredential.session, session.id))
      .where(and(inArray(session.principal, [...principals]), isLive(nowMs)))
      .orderBy(desc(session.id));

  return {
    create(input: NewService, most: number): Promise<'created' | 'taken' | 'full'> {
      return answer(
        db.transaction(async (tx) => {
          const [all] = await tx.select({ count: count() }).from(service);
          if ((all?.count ?? 0) >= most) return 'full';
          const row = { ...input, description: input.description ?? null };
          const created = await tx.insert(service).values(row).onConflictDoNothing().returning();
          return created.length > 0 ? 'created' : 'taken';
        }),
      );
    },

    async find(name: string): Promise<StoredService | undefined> {
      const [row] = await answer(selectServices(db).where(eq(service.name, name)));
      return row && serviceOf(row);
    },

    async list(nowMs: number, limit: number, after?: string) {
      const rows = await answer(
        selectServices(db)
          .where(after === undefined ? undefined : gt(service.name, after))
          .orderBy(service.name)
          .limit(limit),
      );
      const ids = rows.map((row) => row.principal.id);
      const tokens = ids.length === 0 ? [] : await answer(tokensOf(db, ids, nowMs));
      const byPrincipal = Map.groupBy(tokens, (token) => token.session.principal);
      return rows.map((row) => ({
        ...serviceOf(row),
        tokens: (byPrincipal.get(row.principal.id) ?? []).map(tokenOf),
      }));
    },

    async disable(name: string, disabledAt: number | undefined): Promise<boolean> {
      const changed = await answer(
        db
          .update(service)
          .set({ disabledAt: disabledAt ?? null })
          .where(eq(service.name, name))
          .returning(),
      );
      return changed.length > 0;
    },

    async findToken(name: string, id: string, nowMs: number): Promise<StoredServiceToken | undefined> {
      const [found] = await answer(
        db
          .select({ session, label: sessionCredential.label })
          .from(service)
          .innerJoin(session, eq(session.principal, service.principal))
          .innerJoin(sessionCredential, eq(sessionCredential.session, session.id))
          .where(and(eq(service.name, name), eq(session.id, id), isLive(nowMs))),
      );
      return found && tokenOf(found);
    },

    /** The service's row is locked: tokens of one service are added one after another, and none to a disabled one. */
    addToken(
      input: NewServiceToken,
      replaces: ReplacedToken | undefined,
      most: number,
    ): Promise<'added' | 'gone' | 'full'> {
      const { id, hash, label, scope, factsHash, principalEpoch, createdAt, expiresAt } = input;
      return answer(
        db.transaction(async (tx) => {
          const [owner] = await tx.select().from(service).where(eq(service.name, input.service)).for('update');
          if (!owner || owner.disabledAt !== null) return 'gone';
          const live = await tokensOf(tx, [owner.principal], createdAt);
          if (replaces && !live.some((token) => token.session.id === replaces.id)) return 'gone';
          if (live.length >= most) return 'full';
          await tx.insert(session).values({
            id,
            principal: owner.principal,
            browser: id,
            factsHash,
            factsEpoch: principalEpoch,
            signedInAt: createdAt,
            amr: [],
            expiresAt,
            lastSeenAt: NEVER_USED,
            unattended: true,
            scope: [...scope],
          });
          await tx.insert(sessionCredential).values({
            hash,
            session: id,
            kind: 'token',
            audience: SERVICE_AUDIENCE,
            label: label ?? null,
            createdAt,
            expiresAt,
          });
          if (!replaces) return 'added';
          const endsAt = { expiresAt: sql`least(expires_at, ${replaces.endsAt}::bigint)` };
          await tx.update(session).set(endsAt).where(eq(session.id, replaces.id));
          await tx.update(sessionCredential).set(endsAt).where(eq(sessionCredential.session, replaces.id));
          // Who has the old one in memory must hear of its new end.
          await changes.publish(tx, { kind: 'principal_changed', principal: owner.principal });
          return 'added';
        }),
      );
    },
  };
}

function isLive(nowMs: number) {
  return and(isNull(session.endedAt), gt(session.expiresAt, nowMs));
}

function selectServices(db: Store['db']) {
  return db
    .select({ service, principal })
    .from(service)
    .innerJoin(principal, eq(principal.id, service.principal))
    .$dynamic();
}

function serviceOf(row: {
  service: typeof service.$inferSelect;
  principal: typeof principal.$inferSelect;
}): StoredService {
  const { name, description, owner, createdAt, disabledAt } = row.service;
  return {
    name,
    principal: principalOf(row.principal, undefined),
    description: description ?? undefined,
    owner,
    createdAt,
    disabledAt: disabledAt ?? undefined,
  };
}

function tokenOf(row: { session: typeof session.$inferSelect; label: string | null }): StoredServiceToken {
  const { id, scope, signedInAt, expiresAt, lastSeenAt } = row.session;
  return {
    id,
    label: row.label ?? undefined,
    scope: scope ?? [],
    createdAt: signedInAt,
    expiresAt,
    lastUsedAt: lastSeenAt === NEVER_USED ? undefined : lastSeenAt,
  };
}
