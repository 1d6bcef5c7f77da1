import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { AuditEntry, AuditEntryPage, AuditPage } from '../../src/control/contract/audit.ts';
import type { Me } from '../../src/control/contract/me.ts';
import type { ResourceList } from '../../src/control/contract/resources.ts';
import type { LogRead } from '../../src/domain/audit-event/log.ts';
import { createSample, type Sample, sampleLog } from './sample.ts';

const entries = sampleLog(120);

describe('Reading the audit log', () => {
  let sample: Sample;
  before(async () => {
    sample = await createSample(entries);
  });
  beforeEach(() => {
    sample.appended.length = 0;
    sample.steps.length = 0;
    sample.failAppend = false;
  });
  after(() => sample.app.close());

  const get = (url: string, who = 'audrey') => sample.app.inject({ url, cookies: { sample: who } });

  it('pages through every record once, newest first', async () => {
    const seen: string[] = [];
    let before = '';
    do {
      const page = (await get(`/api/v1/audit?limit=50${before}`)).json<AuditPage>();
      seen.push(...page.rows.map((row) => row.id));
      before = page.next === null ? '' : `&before=${page.next}`;
    } while (before !== '');
    assert.deepEqual(
      seen,
      entries.map(({ event }) => event.id),
    );
  });

  it('is on record, with who and what, before the results leave', async () => {
    const answer = await get('/api/v1/audit?query=effect:deny&limit=5');
    assert.equal(answer.statusCode, 200);
    assert.deepEqual(sample.steps, ['search', 'append log.read']);
    const read = sample.appended[0] as LogRead;
    assert.equal(read.query, 'effect:deny');
    assert.equal(read.results, 5);
    assert.equal(read.principal, 'principal-of-audrey');
    assert.equal(read.personal?.email, 'audrey@example.com');
  });

  it('shows nothing when the read cannot be recorded', async () => {
    sample.failAppend = true;
    for (const url of ['/api/v1/audit', `/api/v1/audit/${entries[0]?.event.id}`]) {
      const answer = await get(url);
      assert.equal(answer.statusCode, 503);
      assert.equal(answer.json<{ code: string }>().code, 'audit_unavailable');
      assert.doesNotMatch(answer.body, /example\.com|disk full/);
    }
  });

  it('records and shows nothing for a person without the role', async () => {
    const answer = await get('/api/v1/audit', 'alice');
    assert.equal(answer.statusCode, 403);
    assert.deepEqual(sample.steps, []);
  });

  it('shows one record in full, and records that too', async () => {
    const { event } = entries[0] ?? assert.fail();
    const whole = (await get(`/api/v1/audit/${event.id}`)).json<AuditEntry>();
    assert.deepEqual(whole.event, JSON.parse(JSON.stringify(event)));
    assert.deepEqual(whole.outcome, JSON.parse(JSON.stringify(entries[0]?.outcome)));
    assert.deepEqual(whole.facts, entries[0]?.facts);
    assert.equal(whole.recorded.leafHash, entries[0]?.recorded.leafHash);
    assert.equal((sample.appended[0] as LogRead).query, `id:${event.id}`);
  });

  it('pages through whole records for programs, with the same care', async () => {
    const page = (await get('/api/v1/audit/entries?limit=2')).json<AuditEntryPage>();
    assert.deepEqual(
      page.entries.map(({ event }) => event),
      JSON.parse(JSON.stringify(entries.slice(0, 2).map(({ event }) => event))),
    );
    assert.equal(page.next, entries[1]?.event.id);
    assert.equal((sample.appended[0] as LogRead).results, 2);
    sample.failAppend = true;
    assert.equal((await get('/api/v1/audit/entries')).statusCode, 503);
    assert.equal((await get('/api/v1/audit/entries', 'alice')).statusCode, 403);
  });

  it('says 404 for a reference that does not exist, and records the attempt', async () => {
    assert.equal((await get('/api/v1/audit/nothing')).statusCode, 404);
    assert.equal((sample.appended[0] as LogRead).results, 0);
  });

  for (const bad of [
    'limit=0',
    'limit=201',
    'limit=ten',
    'unknown=1',
    `query=${'x'.repeat(1001)}`,
    'query=nonsense:1',
  ]) {
    it(`refuses ${bad.slice(0, 20)}`, async () => {
      const answer = await get(`/api/v1/audit?${bad}`);
      assert.equal(answer.statusCode, 400);
      assert.equal(answer.json<{ code: string }>().code, 'request_invalid');
      assert.deepEqual(sample.appended, []);
    });
  }
});

describe('Who I am and what I may use', () => {
  let sample: Sample;
  before(async () => {
    sample = await createSample();
  });
  after(() => sample.app.close());

  it('is told to me', async () => {
    const me = (await sample.app.inject({ url: '/api/v1/me', cookies: { sample: 'sam' } })).json<Me>();
    assert.equal(me.person.email, 'sam@example.com');
    assert.deepEqual(me.roles, ['admin', 'security']);
    assert.equal(me.signOut, '/api/v1/sign-out');
  });

  it('lists only what the policy may let me reach', async () => {
    const names = async (who: string) => {
      const answer = await sample.app.inject({ url: '/api/v1/resources', cookies: { sample: who } });
      return answer.json<ResourceList>().resources.map(({ name }) => name);
    };
    assert.deepEqual(await names('alice'), ['builds', 'echo', 'metrics', 'notebooks', 'wiki']);
    assert.deepEqual(await names('audrey'), ['builds', 'echo', 'notebooks', 'wiki']);
    assert.deepEqual(await names('eve'), []);
  });
});
