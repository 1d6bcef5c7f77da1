import assert from 'node:assert/strict';
import { verifyLog } from '../../src/audit/verify.ts';
import { createLog } from '../../src/lib/log.ts';
import { Secret } from '../../src/lib/secret.ts';
import { AuditLogReader } from '../../src/store/audit-read.ts';
import { openStore } from '../../src/store/open.ts';
import { readLog } from '../audit/whole.ts';
import type { Seen } from '../e2e/recording-target.ts';

interface Leaf {
  readonly id: string;
  readonly kind: string;
  readonly effect?: string;
  readonly intent?: string;
  readonly end?: string;
  readonly reason?: string;
}

export interface Place {
  readonly databaseUrl?: string;
  readonly dataDir: string;
}

/**
 * The log verifies from its first record to its head, and everything that the target saw has its intent; no request
 * that ended `not_forwarded` was seen. On the embedded database the relay must have stopped. Resolves to the leaves.
 */
export async function assertLogged(place: Place, seen: readonly Seen[]): Promise<Leaf[]> {
  await using store = await openStore({
    dataDir: place.dataDir,
    ...(place.databaseUrl === undefined ? {} : { databaseUrl: new Secret(place.databaseUrl) }),
    log: createLog('silent'),
  });
  const { faults, size } = await verifyLog(new AuditLogReader(store), 'relay-1');
  assert.deepEqual(faults, []);
  const { rows } = await readLog(store, 'relay-1');
  assert.ok(rows.length >= size);
  const leaves = rows.map(({ leaf }) => JSON.parse(leaf) as Leaf);
  const allowed = new Set(leaves.filter(({ effect }) => effect === 'allow').map(({ id }) => id));
  const notForwarded = new Set(leaves.filter(({ end }) => end === 'not_forwarded').map(({ intent }) => intent));
  for (const { target, headers } of seen) {
    const id = String(headers['x-request-id']);
    assert.ok(allowed.has(id), `${target} was forwarded and has no intent`);
    assert.ok(!notForwarded.has(id), `${target} was forwarded and recorded as not forwarded`);
  }
  return leaves;
}
