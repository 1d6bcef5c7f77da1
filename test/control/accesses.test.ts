import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AccessList } from '../../src/control/contract/accesses.ts';
import type { LiveAccess } from '../../src/domain/live.ts';
import { createSample, PEOPLE, SAMPLE_NOW, type Sample } from './sample.ts';

const idOf = (n: number) => `01900000-0000-7000-8000-${String(n).padStart(12, '0')}`;

describe('Live accesses', () => {
  let sample: Sample;
  const live = new Map<string, LiveAccess>();
  before(async () => {
    const { session } = PEOPLE['alice'] ?? assert.fail();
    for (const n of [3, 1, 5, 2, 4]) {
      const startedAt = SAMPLE_NOW + n;
      live.set(idOf(n), { intent: idOf(n), session, resource: { name: 'wiki' }, agent: 'office', startedAt });
    }
    sample = await createSample([], {
      live: { list: () => [...live.values()], terminate: (intent) => live.delete(intent) },
    });
  });
  after(() => sample.app.close());

  const list = async (query: string) => {
    const answer = await sample.app.inject({ url: `/api/v1/accesses${query}`, cookies: { sample: 'olga' } });
    assert.equal(answer.statusCode, 200, answer.body);
    return answer.json<AccessList>();
  };
  const terminate = (n: number) =>
    sample.app.inject({
      method: 'POST',
      url: `/api/v1/accesses/${idOf(n)}/terminate`,
      cookies: { sample: 'olga' },
      headers: { origin: 'http://postern.localhost:8080', 'sec-fetch-site': 'same-origin' },
      payload: { reason: 'A test.' },
    });

  it('come newest first, each once, also when one ends between two pages', async () => {
    const first = await list('?limit=2');
    assert.deepEqual(
      first.accesses.map(({ id }) => id),
      [idOf(5), idOf(4)],
    );
    assert.equal(first.next, idOf(4));
    const ended = live.get(idOf(4)) ?? assert.fail();
    live.delete(idOf(4));
    const second = await list(`?limit=3&before=${first.next}`);
    assert.deepEqual(
      second.accesses.map(({ id }) => id),
      [idOf(3), idOf(2), idOf(1)],
    );
    assert.equal(second.next, null);
    live.set(idOf(4), ended);
  });

  it('are cut even when the log cannot be written, and the answer says that it could not', async () => {
    sample.failAppend = true;
    const answer = await terminate(3);
    sample.failAppend = false;
    assert.equal(answer.statusCode, 503);
    assert.equal(answer.json<{ code: string }>().code, 'audit_unavailable');
    assert.doesNotMatch(answer.body, /[Nn]othing was changed|disk full/);
    assert.ok(!live.has(idOf(3)));
  });

  it('are not found twice, and what never was is not on record', async () => {
    const before = sample.appended.length;
    assert.equal((await terminate(3)).statusCode, 404);
    assert.equal((await terminate(9)).statusCode, 404);
    assert.equal(sample.appended.length, before);
    assert.equal((await terminate(5)).statusCode, 200);
    assert.equal(sample.appended.at(-1)?.kind, 'access.terminated');
  });
});
