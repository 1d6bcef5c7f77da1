import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startWholeRelay, type WholeRelay } from './whole-relay.ts';

const FILE = fileURLToPath(new URL('../../docs/reference/openapi.json', import.meta.url));

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationText>>>>;
  readonly components: { readonly responses: object; readonly schemas: object };
}

interface OperationText {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly 'x-postern-permission': unknown;
}

/** `POSTERN_WRITE_REFERENCE=1 node --test test/control/openapi.test.ts` writes the file anew. */
describe('The description of the API', { timeout: 60_000 }, () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let text: string;
  let description: Description;
  before(async () => {
    whole = undo.use(await startWholeRelay());
    const cookie = await whole.signIn('alice', []);
    const answer = await whole.ask('/api/v1/openapi.json', { headers: { cookie } });
    assert.equal(answer.status, 200);
    description = JSON.parse(answer.body) as Description;
    text = `${JSON.stringify(description, null, 2)}\n`;
    if (process.env['POSTERN_WRITE_REFERENCE'] === '1') writeFileSync(FILE, text);
  });
  after(() => undo.disposeAsync());

  it('is the committed one', () => {
    assert.deepEqual(
      JSON.parse(readFileSync(FILE, 'utf8')),
      description,
      'docs/reference/openapi.json is out of date: POSTERN_WRITE_REFERENCE=1 node --test test/control/openapi.test.ts',
    );
  });

  it('names every route below /api/ with its permission, and no other', () => {
    const described = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) =>
          [`${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`, operation['x-postern-permission']] as const,
      ),
    );
    const served = [...whole.relay.permissions].filter(([route]) => /^(?!HEAD)\S+ \/api\//.test(route));
    assert.deepEqual(Object.fromEntries(described), Object.fromEntries(served));
    assert.ok(described.length >= 18, `${described.length} operations`);
  });

  it('holds together: unique operations, declared path parameters, references that exist', () => {
    const ids = new Set<string>();
    for (const [path, methods] of Object.entries(description.paths)) {
      for (const operation of Object.values(methods)) {
        assert.ok(!ids.has(operation.operationId), `${operation.operationId} twice`);
        ids.add(operation.operationId);
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const declared = (operation.parameters ?? []).filter((each) => each.in === 'path').map(({ name }) => name);
        assert.deepEqual(declared, named, path);
      }
    }
    for (const [, place = ''] of text.matchAll(/"\$ref": "#\/([^"]+)"/g)) {
      let found: unknown = description;
      for (const step of place.split('/')) found = (found as Record<string, unknown>)[step];
      assert.ok(found, `#/${place}`);
    }
    assert.equal(description.openapi, '3.1.1');
  });

  it('is for people who are signed in', async () => {
    assert.equal((await whole.ask('/api/v1/openapi.json')).status, 401);
  });
});
