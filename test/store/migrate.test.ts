import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { migrate } from '../../src/store/migrate.ts';
import type { Store } from '../../src/store/open.ts';
import { KINDS, startDatabases, type TestDatabases, temporaryDirectory } from './databases.ts';

for (const kind of KINDS) {
  describe(`migrations on ${kind}`, () => {
    let databases: TestDatabases;
    let store: Store;
    before(async () => {
      databases = await startDatabases(kind);
      store = await databases.open('migrate');
    });
    after(async () => {
      await store[Symbol.asyncDispose]();
      await databases[Symbol.asyncDispose]();
    });

    test('each is applied once, in order, whole or not at all', async () => {
      await using directory = await temporaryDirectory();
      const url = pathToFileURL(`${directory.path}/`);
      const write = (name: string, sql: string): Promise<void> => writeFile(join(directory.path, name), sql);
      await write('9002_b.sql', 'INSERT INTO steps VALUES (2); -- two statements\nINSERT INTO steps VALUES (3);');
      await write('9001_a.sql', 'CREATE TABLE steps (n int);');
      await write('notes.txt', 'not SQL');
      // As two relays that start at the same time.
      await Promise.all([migrate(store.pool, url), migrate(store.pool, url)]);
      await write('9003_c.sql', 'INSERT INTO steps VALUES (4); SELECT 1/0;');
      await assert.rejects(migrate(store.pool, url), { code: 'database_unavailable', message: /9003_c/ });
      const { rows } = await store.pool.query('SELECT n FROM steps ORDER BY n');
      assert.deepEqual(rows, [{ n: 2 }, { n: 3 }]);
    });

    test('an applied file that has changed is an error', async () => {
      await using directory = await temporaryDirectory();
      const url = pathToFileURL(`${directory.path}/`);
      const file = join(directory.path, '9101_x.sql');
      await writeFile(file, 'CREATE TABLE changed (n int);');
      await migrate(store.pool, url);
      await writeFile(file, 'CREATE TABLE changed (n int, m int);');
      await assert.rejects(migrate(store.pool, url), { code: 'config_invalid', message: /9101_x/ });
      const { rows } = await store.pool.query('SELECT 1 AS fine');
      assert.deepEqual(rows, [{ fine: 1 }]);
    });
  });
}
