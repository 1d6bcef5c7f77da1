import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Change } from '../../src/domain/change.ts';
import { withAgents } from '../../src/relay/changes.ts';
import type { ChangeFeed } from '../../src/store/changes.ts';
import type { Store } from '../../src/store/open.ts';
import { startDatabases, type TestDatabases } from '../store/databases.ts';

const revoked = (agent: string): Change => ({ kind: 'agent_revoked', agent });
const nameOf = (change: Change): string => (change.kind === 'agent_revoked' ? change.agent : change.kind);

/** Follows, and tells once there were `times` changes. */
async function follow(feed: ChangeFeed, times: number, follower: (name: string) => unknown = () => undefined) {
  const seen: string[] = [];
  const all = Promise.withResolvers<string[]>();
  await feed.follow(
    async (change) => {
      seen.push(nameOf(change));
      if (seen.length === times) all.resolve(seen);
      await follower(nameOf(change));
    },
    { signal: new AbortController().signal },
  );
  return { all: all.promise };
}

describe('the change feed', () => {
  let databases: TestDatabases;
  before(async () => {
    databases = await startDatabases('postgres');
  });
  after(() => databases[Symbol.asyncDispose]());

  const publish = (store: Store, agent: string) =>
    store.db.transaction((tx) => store.changes.publish(tx, revoked(agent)));

  test('does not pass a change whose follower failed, and counts as silent until it succeeds', async () => {
    await using store = await databases.open('failing');
    const silences: number[] = [];
    const { all } = await follow(store.changes, 4);
    await follow(store.changes, 4, (name) => {
      if (name === 'one') silences.push(store.changes.silenceMs);
      if (silences.length < 3) throw new Error('not now');
    });
    await publish(store, 'one');
    await publish(store, 'two');
    assert.deepEqual(await all, ['one', 'one', 'one', 'two']);
    assert.ok((silences[2] ?? 0) > (silences[0] ?? 0), 'it went on growing while a follower failed');
  });

  test('whose last change is gone says that everything changed, and goes on from there', async () => {
    await using store = await databases.open('rewound');
    const first = await follow(store.changes, 2);
    const { all } = await follow(store.changes, 4, (name) =>
      name === 'everything_changed' ? publish(store, 'three') : undefined,
    );
    await publish(store, 'one');
    await publish(store, 'two');
    await first.all;
    // As on a replica that lagged by one change when it took over.
    await store.pool.query(`DELETE FROM change WHERE body->>'agent' = 'two'`);
    assert.deepEqual(await all, ['one', 'two', 'everything_changed', 'three']);
  });

  test('a clock that is set does not end a silence', async (t) => {
    await using store = await databases.open('clock');
    await follow(store.changes, 1);
    t.mock.method(Date, 'now', () => 0);
    assert.ok(store.changes.silenceMs >= 0);
    t.mock.method(Date, 'now', () => 8e15);
    assert.ok(store.changes.silenceMs < 60_000);
  });
});

test('once everything changed, agents that are revoked now lose their tunnels', async () => {
  const heard: Change[] = [];
  let isAway = true;
  const agents = [
    { name: 'office', revokedAt: 1, drainedAt: undefined },
    { name: 'lab', revokedAt: undefined, drainedAt: 1 },
  ];
  const follow = withAgents((change) => heard.push(change), {
    list: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(agents)),
  });
  await assert.rejects(follow({ kind: 'everything_changed' }), /away/, 'the feed tells it again');
  isAway = false;
  await follow({ kind: 'everything_changed' });
  assert.deepEqual(heard.slice(2), [
    revoked('office'),
    { kind: 'agent_drained', agent: 'office', drained: false },
    { kind: 'agent_drained', agent: 'lab', drained: true },
  ]);
});
