import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAlice, createWorld, HOST } from './world.ts';

const APP = 'https://app.test';
const PREFLIGHT = {
  Origin: APP,
  'Access-Control-Request-Method': 'PATCH',
  'Access-Control-Request-Headers': 'content-type,x-own',
};

describe('pages of a listed origin', () => {
  it('have their preflights answered without a session, and nothing is forwarded', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.resource({ corsOrigins: [APP] });
    const answer = await world.get('/any?thing', PREFLIGHT, 'OPTIONS');
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], APP);
    assert.equal(answer.headers['access-control-allow-credentials'], 'true');
    assert.equal(answer.headers['access-control-allow-methods'], 'PATCH');
    assert.equal(answer.headers['access-control-allow-headers'], 'content-type,x-own');
    assert.match(answer.headers.vary ?? '', /Origin/);
    assert.equal((await world.get('/', { ...PREFLIGHT, ...asAlice }, 'OPTIONS')).status, 204);
    assert.equal(world.seen.length + world.audit.events.length, 0);
    const odd = { ...PREFLIGHT, 'Access-Control-Request-Headers': 'a b' };
    assert.equal((await world.get('/', odd, 'OPTIONS')).headers['access-control-allow-headers'], undefined);
  });

  it('tell others nothing: an unlisted origin, another host and an unknown host are answered alike', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.resource({ corsOrigins: [APP] });
    const told = async (headers: Record<string, string>) => {
      const { status, headers: all, body } = await world.get('/', { ...PREFLIGHT, ...headers }, 'OPTIONS');
      const { 'x-request-id': _id, date: _date, ...rest } = all;
      const { reference: _reference, signIn: _signIn, ...said } = JSON.parse(body);
      return { status, rest: { ...rest, 'content-length': '' }, said };
    };
    const unlisted = await told({ Origin: 'https://evil.test' });
    assert.equal(unlisted.status, 401);
    assert.equal(unlisted.rest['access-control-allow-origin'], undefined);
    assert.deepEqual(await told({ Origin: 'https://evil.test', Host: 'nowhere.test' }), unlisted);
    assert.deepEqual(await told({ Host: 'nowhere.test' }), unlisted);
    assert.equal(world.seen.length, 0);
  });

  it('can read why we refuse: 401, 403 and 503 carry CORS fields, for listed origins alone', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.resource({ corsOrigins: [APP] });
    const read = async (headers: Record<string, string>) => {
      const { status, headers: all } = await world.get('/', { 'Sec-Fetch-Mode': 'cors', ...headers });
      return [status, all['access-control-allow-origin'], all['access-control-allow-credentials']];
    };
    assert.deepEqual(await read({ Origin: APP }), [401, APP, 'true']);
    world.decide = () => ({ effect: 'deny' });
    assert.deepEqual(await read({ Origin: APP, ...asAlice }), [403, APP, 'true']);
    world.decide = () => ({});
    world.tunnel = undefined;
    assert.deepEqual(await read({ Origin: APP, ...asAlice }), [503, APP, 'true']);
    assert.deepEqual(await read({ Origin: `http://${HOST}.evil.test`, ...asAlice }), [503, undefined, undefined]);
    assert.deepEqual(await read({ Origin: 'https://evil.test' }), [401, undefined, undefined]);
  });
});
