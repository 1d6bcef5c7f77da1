import { sql } from 'drizzle-orm';
import type { Store } from './open.ts';

export type VersionKind = 'configuration' | 'policy';

export interface LoadedVersion {
  readonly hash: string;
  readonly body: object;
}

export type LoadedVersions = ReturnType<typeof createLoadedVersions>;

/** What was in force at one relay, by hash. Bodies hold no secrets. */
export function createLoadedVersions({ db }: Pick<Store, 'db'>, relay: string) {
  return {
    /** The one that came into force last. */
    async latest(kind: VersionKind): Promise<LoadedVersion | undefined> {
      const { rows } = await db.execute<{ hash: string; body: object }>(
        sql`SELECT hash, body FROM loaded_version WHERE relay = ${relay} AND kind = ${kind} ORDER BY loaded_at DESC LIMIT 1`,
      );
      return rows[0];
    },

    async save(kind: VersionKind, version: LoadedVersion, nowMs: number): Promise<void> {
      await db.execute(
        sql`INSERT INTO loaded_version (relay, kind, hash, body, loaded_at)
            VALUES (${relay}, ${kind}, ${version.hash}, ${JSON.stringify(version.body)}::jsonb, ${nowMs})
            ON CONFLICT (relay, kind, hash) DO UPDATE SET loaded_at = excluded.loaded_at`,
      );
    },
  };
}
