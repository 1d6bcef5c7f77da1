import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAlice, createWorld } from '../gateway/world.ts';

describe('an answer to one person', () => {
  it('is private where its app says nothing about caching', async () => {
    await using world = await createWorld((_req, res) => res.end());
    assert.equal((await world.get('/', asAlice)).headers['cache-control'], 'private');
  });

  it('keeps what its app says', async () => {
    for (const said of ['public, max-age=60', 'no-store', '']) {
      await using world = await createWorld((_req, res) => res.writeHead(200, { 'cache-control': said }).end());
      assert.equal((await world.get('/', asAlice)).headers['cache-control'], said);
    }
  });

  it('to nobody in particular is left alone', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.letsInAnyone = () => true;
    const { status, headers } = await world.get('/');
    assert.equal(status, 200);
    assert.equal(headers['cache-control'], undefined);
  });
});
