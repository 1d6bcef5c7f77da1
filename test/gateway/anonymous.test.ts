import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { MAX_STREAMS_PER_SESSION } from '../../src/gateway/limits.ts';
import { asAlice, createWorld, type World } from './world.ts';

function opensHooks(world: World): void {
  world.letsInAnyone = ({ action }) => action.method === 'POST' && action.path.segments[0] === 'hooks';
}

describe('a rule for anyone', () => {
  it('lets strangers in where it says so, recorded without a name, before the target sees a byte', async () => {
    await using world = await createWorld((_req, res) => res.end('thanks'));
    opensHooks(world);
    const answer = await world.get('/hooks/git?push=1', { 'User-Agent': 'forge/1', 'X-Hub-Signature': 'ab' }, 'POST');
    assert.equal(answer.body, 'thanks');
    const [intent] = world.audit.intents;
    assert.ok(intent);
    assert.equal(intent.via, 'anonymous');
    const recorded = membersOf(intent);
    for (const field of ['principal', 'session', 'facts']) assert.ok(!recorded.includes(field), field);
    assert.deepEqual(membersOf(intent.personal ?? {}), ['address', 'path', 'query', 'userAgent']);
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.end, 'completed');
    for (const field of ['principal', 'session']) assert.ok(!membersOf(outcome).includes(field), field);
    assert.equal(world.seen[0]?.intentsBefore, 1);
  });

  it('asserts nothing to the target, whatever the stranger claims', async () => {
    await using world = await createWorld((_req, res) => res.end());
    opensHooks(world);
    await world.get('/hooks', { 'X-Postern-Assertion': 'forged', 'Remote-User': 'alice', X_Groups: 'staff' }, 'POST');
    const sent = world.seen[0]?.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    assert.ok(sent?.includes('x-request-id'));
    for (const name of ['x-postern-assertion', 'remote-user', 'x-name', 'x-groups', 'x_groups'])
      assert.ok(!sent?.includes(name), name);
  });

  it('lets nobody in while the relay does not hear of changes, also if that begins after the record', async () => {
    await using world = await createWorld((_req, res) => res.end('thanks'));
    opensHooks(world);
    world.hasAuthority = false;
    assert.equal((await world.get('/hooks', {}, 'POST')).status, 503);
    assert.equal(world.audit.intents.length, 0);

    world.hasAuthority = true;
    const { letsInAnyone } = world;
    world.letsInAnyone = (check) => {
      // The news stops once the door was entered.
      queueMicrotask(() => {
        world.hasAuthority = false;
      });
      return letsInAnyone(check);
    };
    assert.equal((await world.get('/hooks', {}, 'POST')).status, 503);
    assert.equal((await world.audit.outcomeOf(0)).end, 'not_forwarded');
    assert.equal(world.seen.length, 0);

    world.letsInAnyone = letsInAnyone;
    world.hasAuthority = true;
    assert.equal((await world.get('/hooks', {}, 'POST')).body, 'thanks');
  });

  it('leaves everything else to sign-in', async () => {
    await using world = await createWorld((_req, res) => res.end());
    opensHooks(world);
    assert.equal((await world.get('/hooks')).status, 401);
    assert.equal((await world.get('/other', {}, 'POST')).status, 401);
    assert.equal((await world.get('/hooks', { Accept: 'text/html' })).status, 303);
    assert.equal((await world.get('/hooks', { Host: 'nowhere.test' }, 'POST')).status, 401);
    assert.equal(world.seen.length + world.audit.intents.length, 0);
  });

  it('does not hide who is signed in, takes a dead cookie for a stranger, and never mixes their streams', async () => {
    await using world = await createWorld((_req, res) => res.end());
    opensHooks(world);
    await world.get('/hooks', {}, 'POST');
    await world.get('/hooks', { ...asAlice, Origin: world.origin }, 'POST');
    await world.get('/hooks', { Cookie: '__Host-postern-session=dead' }, 'POST');
    assert.deepEqual(
      world.audit.intents.map(({ via, principal, ordinal }) => [via, principal, ordinal]),
      [
        ['anonymous', undefined, 1],
        ['cookie', 'principal-alice', 1],
        ['anonymous', undefined, 2],
      ],
    );
    assert.equal(world.streams.length, 2);
  });

  it('is bounded in rate for one address and for all, and what is too much is only counted', async () => {
    const bounds = { anonymousRate: { perSecond: 1, burst: 2 }, anonymousRateOfAll: { perSecond: 1, burst: 50 } };
    await using world = await createWorld((_req, res) => res.end(), bounds);
    world.now = Date.now();
    opensHooks(world);
    const statuses: number[] = [];
    for (let n = 0; n < 4; n += 1) statuses.push((await world.get('/hooks', {}, 'POST')).status);
    assert.deepEqual(statuses, [200, 200, 429, 429]);
    assert.equal((await world.get('/', asAlice)).status, 200);
    assert.equal(world.audit.intents.length, 3);
    assert.deepEqual(world.strangers, ['too_many_requests', 'too_many_requests']);

    await using small = await createWorld((_req, res) => res.end(), { anonymousRateOfAll: { perSecond: 1, burst: 1 } });
    small.now = Date.now();
    opensHooks(small);
    assert.equal((await small.get('/hooks', {}, 'POST')).status, 200);
    assert.equal((await small.get('/hooks', {}, 'POST')).status, 429);
  });

  it('leaves places for people', async () => {
    const held: ServerResponse[] = [];
    let full: (() => void) | undefined;
    const allThere = new Promise<void>((resolve) => {
      full = resolve;
    });
    await using world = await createWorld((req, res) => {
      if (req.method === 'GET') res.end('served');
      else if (held.push(res) === MAX_STREAMS_PER_SESSION) full?.();
    });
    opensHooks(world);
    const strangers = Array.from({ length: MAX_STREAMS_PER_SESSION }, () => world.get('/hooks', {}, 'POST'));
    await allThere;
    const [late, person] = await Promise.all([world.get('/hooks', {}, 'POST'), world.get('/', asAlice)]);
    assert.equal(late.status, 503);
    assert.equal(person.body, 'served');
    for (const res of held) res.end();
    await Promise.all(strangers);
  });

  it('ends with the policy that takes it away', async () => {
    let began: (() => void) | undefined;
    const begun = new Promise<void>((resolve) => {
      began = resolve;
    });
    await using world = await createWorld(() => began?.());
    opensHooks(world);
    const answer = world.get('/hooks', {}, 'POST');
    await begun;
    world.letsInAnyone = () => false;
    world.newSnapshot();
    world.change({ kind: 'snapshot_changed', version: 2 });
    assert.equal((await answer).status, 403);
    const outcome = await world.audit.outcomeOf(0);
    assert.deepEqual([outcome.end, outcome.reason], ['terminated', 'policy_changed']);
  });
});

/** Names of the members that reach the log, which leaves out undefined ones. */
function membersOf(value: object): string[] {
  return Object.keys(JSON.parse(JSON.stringify(value))).toSorted();
}
