import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type AuditLog, openLog } from '../../src/audit/open-log.ts';
import { parseAuditQuery } from '../../src/audit/query.ts';
import { StrangerCounter } from '../../src/audit/strangers.ts';
import { verifyLog } from '../../src/audit/verify.ts';
import type { AccessIntent } from '../../src/domain/audit-event.ts';
import { sortableId } from '../../src/lib/id.ts';
import { createLog } from '../../src/lib/log.ts';
import { AuditLogTable } from '../../src/store/audit-log.ts';
import { AuditLogReader } from '../../src/store/audit-read.ts';
import { searchAudit } from '../../src/store/audit-search.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases, type TestDatabases } from '../store/databases.ts';
import { intent } from './events.ts';

const log = createLog('silent');

for (const kind of KINDS) {
  describe(`reading the audit log on ${kind}`, () => {
    let databases: TestDatabases;
    let store: Store;
    let audit: AuditLog;
    let intents: AccessIntent[];
    let facts: string;
    before(async () => {
      databases = await startDatabases(kind);
      store = await databases.open('search');
      audit = await openLog(new AuditLogTable(store), 'relay-1', log);
      facts = await audit.recordFacts({ groups: ['employees'] });
      intents = Array.from({ length: 1_500 }, (_, at) =>
        intent({
          facts,
          resource: at % 2 === 0 ? 'wiki' : 'metrics',
          effect: at % 500 === 0 ? 'deny' : 'allow',
          personal: {
            email: at % 3 === 0 ? 'alice@example.com' : 'bob@example.com',
            subject: at % 3 === 0 ? 'alice' : 'bob',
            name: 'O\'Neil "the \\ 100%_" Ä',
            path: `/docs/${at}`,
          },
        }),
      );
      await Promise.all(intents.map((event) => audit.append(event)));
      await Promise.all(intents.slice(0, 10).map((event) => audit.append(outcomeOf(event))));
    });
    after(async () => {
      await audit[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await databases[Symbol.asyncDispose]();
    });

    const search = async (query: string, limit = 200): Promise<string[]> => {
      const found: string[] = [];
      let next: string | undefined;
      do {
        const options: { limit: number; after?: string } = next === undefined ? { limit } : { limit, after: next };
        const page = await searchAudit(store, parseAuditQuery(query, Date.now()), options);
        assert.ok(page.entries.length <= limit);
        found.push(...page.entries.map((entry) => entry.leaf.id));
        next = page.next;
      } while (next !== undefined);
      return found;
    };
    const newestFirst = (those: readonly AccessIntent[]): string[] => those.map((event) => event.id).reverse();

    test('finds by field and word, newest first, each once over all pages', async () => {
      const isAlice = (event: AccessIntent): boolean => event.personal?.email === 'alice@example.com';
      const cases: [string, (event: AccessIntent) => boolean][] = [
        ['kind:access.intent', () => true],
        ['who:Alice@example.com', isAlice],
        ['who:alice resource:wiki', (event) => isAlice(event) && event.resource === 'wiki'],
        ['effect:deny', (event) => event.effect === 'deny'],
        ['resource:wiki resource:metrics effect:deny', (event) => event.effect === 'deny'],
        ['path:/docs/24', (event) => event.personal?.path?.startsWith('/docs/24') ?? false],
        ['"\\"THE \\\\ 100%_" path:/docs/7', (event) => event.personal?.path?.startsWith('/docs/7') ?? false],
        ['end:completed', (event) => intents.indexOf(event) < 10],
        ['resource:wik', () => false],
        ['resource:%', () => false],
        ['who:mallory', () => false],
        ['kind:access.intent until:1h', () => false],
      ];
      for (const [query, matches] of cases) {
        assert.deepEqual(await search(query), newestFirst(intents.filter(matches)), query);
      }
      assert.deepEqual(await search('effect:deny', 2), newestFirst(intents.filter((event) => event.effect === 'deny')));
    });

    test('a reference id finds the record, with its person, facts and outcome', async () => {
      const [first] = intents;
      assert.ok(first);
      const page = await searchAudit(store, parseAuditQuery(`id:${first.id}`, Date.now()));
      const [entry] = page.entries;
      assert.equal(page.entries.length, 1);
      assert.equal(page.next, undefined);
      assert.equal(entry?.leaf.id, first.id);
      assert.deepEqual(entry?.personal, first.personal);
      assert.deepEqual(entry?.facts, { groups: ['employees'] });
      assert.equal(entry?.outcome?.status, 200);
      const none = await searchAudit(store, parseAuditQuery(`id:${sortableId()}`, Date.now()));
      assert.deepEqual(none.entries, []);
    });

    test('refusals of strangers become one record per network and reason', async () => {
      await using strangers = new StrangerCounter(audit, log);
      for (let at = 0; at < 5_000; at += 1) strangers.refused('no_session', `10.${at >> 8}.7.${at & 255}`);
      strangers.refused('bad_host', '2001:db8::1');
      await strangers.flush();
      const page = await searchAudit(store, parseAuditQuery('kind:strangers.refused', Date.now()));
      const seen = page.entries.map((entry) => [
        entry.personal?.address,
        entry.leaf.kind === 'strangers.refused' ? entry.leaf.count : 0,
      ]);
      assert.equal(seen.length, 21);
      assert.deepEqual(
        seen.find(([address]) => address === '10.3.7.0/24'),
        ['10.3.7.0/24', 256],
      );
      for (let at = 0; at < 5_000; at += 1) strangers.refused('flood', `10.${at >> 8}.${at & 255}.1`);
      await strangers.flush();
      const all = await searchAudit(store, parseAuditQuery('flood address:other', Date.now()));
      assert.deepEqual(
        all.entries.map((entry) => (entry.leaf.kind === 'strangers.refused' ? entry.leaf.count : 0)),
        [4_000],
      );
    });

    test('verification is green, also after an erasure', async () => {
      const reader = new AuditLogReader(store);
      const whole = await verifyLog(reader, 'relay-1');
      assert.deepEqual(whole.faults, []);
      assert.equal(whole.size, audit.size);
      await store.pool.query('UPDATE audit_record SET salt = NULL, personal = NULL WHERE index BETWEEN 10 AND 19');
      await store.pool.query('UPDATE audit_fact SET salt = NULL, body = NULL');
      const erased = await verifyLog(reader, 'relay-1');
      assert.deepEqual([erased.faults, erased.erased, erased.root], [[], 11, whole.root]);
      await assert.rejects(verifyLog(reader, 'relay-2'), { code: 'not_found' });
    });

    test('verification finds every change, and the first record that differs', async () => {
      const reader = new AuditLogReader(store);
      const at = (index: number): string => `WHERE index = ${index}`;
      const tampering: [string, { kind: string; index?: number }][] = [
        [`UPDATE audit_record SET leaf = replace(leaf, 'wiki', 'Wiki') ${at(101)}`, { kind: 'leaf', index: 101 }],
        [`UPDATE audit_record SET leaf = 'no JSON' ${at(101)}`, { kind: 'leaf', index: 101 }],
        [`UPDATE audit_record SET leaf = leaf || ' ' ${at(101)}`, { kind: 'leaf', index: 101 }],
        [`UPDATE audit_record SET leaf_hash = sha256('x') ${at(102)}`, { kind: 'leaf', index: 102 }],
        [
          `UPDATE audit_record SET leaf = leaf || ' ', leaf_hash = sha256(convert_to(E'\\x01', 'UTF8')) ${at(102)}`,
          { kind: 'leaf', index: 102 },
        ],
        [
          `UPDATE audit_record SET ref = '01939e2a-7c00-7000-8000-000000000001' ${at(103)}`,
          { kind: 'place', index: 103 },
        ],
        [
          `UPDATE audit_record SET personal = replace(personal, 'example.com', 'example.net') ${at(104)}`,
          { kind: 'personal', index: 104 },
        ],
        [`UPDATE audit_record SET salt = sha256('x') ${at(105)}`, { kind: 'personal', index: 105 }],
        [`UPDATE audit_record SET salt = NULL ${at(105)}`, { kind: 'personal', index: 105 }],
        [`UPDATE audit_record SET personal = '{}', salt = '' ${at(0)}`, { kind: 'personal', index: 0 }],
        [`DELETE FROM audit_record ${at(106)}`, { kind: 'missing', index: 106 }],
        [`UPDATE audit_record SET log = 99 ${at(107)}`, { kind: 'missing', index: 107 }],
        [`UPDATE audit_record SET index = 900000 ${at(108)}`, { kind: 'missing', index: 108 }],
        [`DELETE FROM audit_record WHERE index > 200`, { kind: 'missing', index: 201 }],
        [
          `INSERT INTO audit_record SELECT log, ${audit.size}, ref, leaf, leaf_hash, salt, personal FROM audit_record ${at(1)}`,
          { kind: 'extra', index: audit.size },
        ],
        [
          `UPDATE audit_record a SET leaf = b.leaf, leaf_hash = b.leaf_hash, ref = b.ref FROM audit_record b
          WHERE (a.index, b.index) IN ((301, 302), (302, 301))`,
          { kind: 'place', index: 301 },
        ],
        [`UPDATE audit_log SET size = 500`, { kind: 'extra', index: 500 }],
        [`UPDATE audit_log SET root = sha256('x')`, { kind: 'root' }],
        [`UPDATE audit_log SET frontier = sha256('x')`, { kind: 'frontier' }],
        [`DELETE FROM audit_fact`, { kind: 'facts', index: 1 }],
        [`UPDATE audit_fact SET salt = sha256('x'), body = '{}'`, { kind: 'facts', index: 1 }],
      ];
      for (const [statement, first] of tampering) {
        const client = await store.pool.connect();
        const inside: Store = {
          ...store,
          connect: async () => ({ ...bound(client), release: () => undefined }) as typeof client,
        };
        try {
          await client.query('BEGIN');
          await client.query(statement);
          const { faults } = await verifyLog(new AuditLogReader(inside), 'relay-1');
          assert.deepEqual(faults[0], first, statement);
        } finally {
          await client.query('ROLLBACK');
          client.release();
        }
      }
      assert.deepEqual((await verifyLog(reader, 'relay-1')).faults, []);
    });
  });
}

/** Reads inside the transaction that tampered, so that it can be undone. */
function bound(client: { query: unknown }): object {
  return { query: (client.query as (...args: unknown[]) => unknown).bind(client) };
}

function outcomeOf(event: AccessIntent) {
  return {
    kind: 'access.outcome',
    id: sortableId(),
    at: Date.now(),
    intent: event.id,
    resource: event.resource,
    end: 'completed',
    status: 200,
    bytesUp: 0,
    bytesDown: 12,
    durationMs: 3,
  } as const;
}
