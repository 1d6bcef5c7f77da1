import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAlice, createWorld } from '../gateway/world.ts';

const FIELDS = [
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'x_http_method_override',
  'X.HTTP-Method',
  'X_Method_Override',
];

describe('a field that names another method', () => {
  for (const field of FIELDS)
    it(`${field}: refused, and no target sees it`, async () => {
      await using world = await createWorld((_req, res) => res.end());
      for (const other of ['DELETE', 'delete', 'GET, DELETE', '']) {
        const { status } = await world.get('/', { ...asAlice, [field]: other });
        assert.equal(status, 400, other);
      }
      assert.equal((await world.get('/', { ...asAlice, [field]: ['GET', 'PUT'] })).status, 400, 'the second of two');
      assert.equal(world.seen.length, 0);
      assert.equal((await world.get('/', { ...asAlice, [field]: 'get' })).status, 200, 'its twin: the same method');
      assert.equal(world.seen.length, 1);
    });
});
