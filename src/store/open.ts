import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { Logger } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { type ChangeFeed, openChangeFeed } from './changes.ts';
import { startEmbedded } from './embedded/start.ts';
import { LanePool } from './lane-pool.ts';
import { surviveLosses } from './losses.ts';
import { type MaintenanceBounds, startMaintenance } from './maintenance.ts';
import { migrate } from './migrate.ts';
import { connectPools } from './postgres.ts';
import { refuseUnsafe } from './unsafe.ts';

export type Database = NodePgDatabase;
/** A transaction of drizzle, or the database itself: what entity files take. */
export type Tx = Pick<NodePgDatabase, 'select' | 'insert' | 'update' | 'delete' | 'execute'>;

/** Who waits for a connection: appends go first, searches last. */
export type Lane = 'append' | 'query' | 'search';

/**
 * Never `pool.query` (or `db`) inside an open transaction: use the transaction. The embedded database has one
 * connection, and it would wait for itself.
 */
export interface Store extends AsyncDisposable {
  readonly pool: pg.Pool;
  readonly db: Database;
  readonly embedded: boolean;
  readonly changes: ChangeFeed;
  /** Bound of one commit to the audit log, and of the statements that lead to it. */
  readonly commitTimeoutMs: number;
  /** A connection by lane; release it within milliseconds. Rejects with `database_unavailable`. */
  connect(lane: Lane): Promise<pg.PoolClient>;
}

export interface StoreOptions {
  /** Absent: the embedded database in `dataDir`. */
  readonly databaseUrl?: Secret;
  readonly dataDir: string;
  readonly log: Logger;
  readonly commitTimeoutMs?: number;
  /** Of the embedded database; tests make them small. */
  readonly maintenance?: MaintenanceBounds;
  /** For whoever only reads: tables are taken as they are. */
  readonly readOnly?: boolean;
}

/** Opens the database, brings its tables up to date. Rejects with `database_unsafe`, `database_unavailable`. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const commitTimeoutMs = options.commitTimeoutMs ?? 2_000;
  await using undo = new AsyncDisposableStack();

  let pool: pg.Pool;
  let connect: Store['connect'];
  if (options.databaseUrl) {
    const pools = connectPools(options.databaseUrl, commitTimeoutMs, options.log);
    undo.use(pools);
    if (!options.readOnly) await refuseUnsafe(pools.query);
    pool = pools.query;
    connect = (lane) => pools.connect(lane);
  } else {
    await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
    const embedded = undo.use(await startEmbedded(join(options.dataDir, 'database'), options.log));
    const lanes = new LanePool(embedded.address);
    surviveLosses(lanes, options.log);
    undo.defer(() => lanes.end());
    pool = lanes;
    connect = (lane) => lanes.connectIn(lane);
  }
  if (!options.readOnly) await migrate(pool);
  if (pool instanceof LanePool) undo.use(await startMaintenance(pool, options.log, options.maintenance));
  const db = drizzle(pool);
  const changes = undo.use(openChangeFeed(db, options.log));

  const held = undo.move();
  return {
    pool,
    db,
    embedded: !options.databaseUrl,
    changes,
    commitTimeoutMs,
    connect,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
