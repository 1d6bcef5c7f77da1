import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LightMyRequestResponse } from 'fastify';
import { createSample, PEOPLE, type Sample, sampleLog } from './sample.ts';

const entries = sampleLog(3);
const known = entries[0]?.event.id ?? '';

describe('Every route with each role and with none', () => {
  let sample: Sample;
  before(async () => {
    sample = await createSample(entries);
  });
  after(() => sample.app.close());

  it('declares its permission, and is held to it', async () => {
    const { app } = sample;
    assert.ok(app.permissions.size >= 10, 'the walk saw the routes');
    for (const [route, permission] of app.permissions) {
      const [method = '', pattern = ''] = route.split(' ');
      if (method !== 'GET' && method !== 'HEAD') continue;
      const url = pattern.replace(':id', known).replace('*', 'nothing.js');
      const strangers = await app.inject({ method, url });
      if (permission === 'anyone') {
        assert.ok(![401, 403].includes(strangers.statusCode), `${route} is for anyone`);
        continue;
      }
      assert.equal(strangers.statusCode, 401, `${route} without a session`);
      for (const [name, { roles }] of Object.entries(PEOPLE)) {
        const answer: LightMyRequestResponse = await app.inject({ method, url, cookies: { sample: name } });
        const may = permission === 'signed-in' || roles.some((role) => permission.includes(role));
        if (may) assert.ok(![401, 403].includes(answer.statusCode), `${name} may ${route}, got ${answer.statusCode}`);
        else assert.equal(answer.statusCode, 403, `${name} may not ${route}`);
      }
    }
  });

  it('keeps the audit log for auditor, security and admin', () => {
    for (const url of ['/api/v1/audit', '/api/v1/audit/entries', '/api/v1/audit/:id']) {
      const permission = sample.app.permissions.get(`GET ${url}`);
      assert.deepEqual(permission, ['admin', 'security', 'auditor']);
    }
  });

  it('refuses to start with a route that declares none', async () => {
    const forgetful = createSample([], {
      plugins: [
        async (app) => {
          app.get('/forgotten', () => 'open to everybody');
        },
      ],
    });
    await assert.rejects(forgetful, /GET \/forgotten declares no permission/);
  });
});

describe('Same-site pages that are not ours', () => {
  let sample: Sample;
  let changed = 0;
  before(async () => {
    sample = await createSample([], {
      plugins: [
        async (app) => {
          app.post('/change', { config: { permission: 'signed-in' } }, () => {
            changed += 1;
            return {};
          });
        },
      ],
    });
  });
  after(() => sample.app.close());

  const ours = 'http://postern.localhost:8080';
  const post = (headers: Record<string, string>) =>
    sample.app.inject({ method: 'POST', url: '/change', cookies: { sample: 'sam' }, headers, payload: {} });

  it('changes state from our own origin', async () => {
    assert.equal((await post({ origin: ours, 'sec-fetch-site': 'same-origin' })).statusCode, 200);
    assert.equal(changed, 1);
  });

  for (const [what, headers] of Object.entries({
    'from a resource host': { origin: 'http://wiki.postern.localhost:8080', 'sec-fetch-site': 'same-site' },
    'with a lying Origin but honest fetch metadata': { origin: ours, 'sec-fetch-site': 'same-site' },
    'with the null Origin': { origin: 'null' },
    'without Origin': {},
    'by a cross-site navigation': {
      origin: 'https://evil.example',
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
    },
  })) {
    it(`changes nothing ${what}`, async () => {
      const before = changed;
      assert.equal((await post(headers)).statusCode, 403);
      assert.equal(changed, before);
    });
  }

  it('does not read the API for another origin', async () => {
    const headers = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' };
    const answer = await sample.app.inject({ url: '/api/v1/me', cookies: { sample: 'sam' }, headers });
    assert.equal(answer.statusCode, 403);
  });

  it('opens a page by a link from another site', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', accept: 'text/html' };
    const answer = await sample.app.inject({ url: '/audit', cookies: { sample: 'sam' }, headers });
    assert.notEqual(answer.statusCode, 403);
  });
});
