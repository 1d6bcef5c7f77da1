import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { page, unsupportedBrowserPage } from '../../src/control/page.ts';
import { PosternError } from '../../src/lib/errors.ts';
import { html } from '../../src/lib/page/html.ts';
import { createSample, type Sample } from './sample.ts';

const REFERENCE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;

describe('What goes wrong', () => {
  let sample: Sample;
  before(async () => {
    sample = await createSample([], {
      plugins: [
        async (app) => {
          const config = { permission: 'anyone' } as const;
          app.get('/broken', { config }, () => {
            throw new Error('password=hunter2 at db.internal');
          });
          app.get('/database', { config }, () => {
            throw new PosternError('database_unavailable', 'connect ECONNREFUSED db.internal:5432');
          });
          app.post('/json', { config }, () => ({}));
        },
      ],
    });
  });
  after(() => sample.app.close());

  const problem = async (options: InjectOptions, status: number, code: string) => {
    const answer = await sample.app.inject(options);
    assert.equal(answer.statusCode, status);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
    assert.equal(answer.headers['cache-control'], 'no-store');
    const body = answer.json<Record<string, unknown>>();
    assert.equal(body['type'], `urn:postern:problem:${code}`);
    assert.equal(body['code'], code);
    assert.equal(body['status'], status);
    assert.ok(String(body['title']).length > 0 && String(body['detail']).length > 0);
    assert.match(String(body['reference']), REFERENCE);
    return body;
  };

  it('is a problem with a code and a reference', async () => {
    await problem({ url: '/nothing' }, 404, 'not_found');
    await problem({ method: 'DELETE', url: '/api/v1/me' }, 404, 'not_found');
    await problem({ url: '/%zz' }, 400, 'request_invalid');
    await problem(
      { method: 'POST', url: '/json', headers: { 'content-type': 'application/json' }, payload: '{' },
      400,
      'request_invalid',
    );
    await problem(
      { method: 'POST', url: '/json', headers: { 'content-type': 'text/csv' }, payload: 'a' },
      415,
      'request_invalid',
    );
    await problem({ method: 'POST', url: '/json', payload: { a: 'x'.repeat(70_000) } }, 413, 'request_invalid');
  });

  it('never shows what we did not write for strangers', async () => {
    for (const [url, status, code] of [
      ['/broken', 500, 'internal_error'],
      ['/database', 503, 'database_unavailable'],
    ] as const) {
      const body = await problem({ url }, status, code);
      assert.doesNotMatch(JSON.stringify(body), /hunter2|db\.internal/);
      const shown = await sample.app.inject({ url, headers: { accept: 'text/html' } });
      assert.equal(shown.statusCode, status);
      assert.doesNotMatch(shown.body, /hunter2|db\.internal/);
    }
  });

  it('tells a program where to sign in', async () => {
    const body = await problem({ url: '/api/v1/me' }, 401, 'unauthenticated');
    assert.equal(body['signIn'], 'http://postern.localhost:8080/sign-in');
  });

  it('sends a person to sign in, and back', async () => {
    const answer = await sample.app.inject({ url: '/audit?query=effect:deny', headers: { accept: 'text/html' } });
    assert.equal(answer.statusCode, 302);
    assert.equal(answer.headers.location, '/sign-in?return=%2Faudit%3Fquery%3Deffect%3Adeny');
  });

  it('is a page for a person, with the reference', async () => {
    const answer = await sample.app.inject({ url: '/nothing', headers: { accept: 'text/html' } });
    assert.equal(answer.statusCode, 404);
    assert.match(String(answer.headers['content-type']), /^text\/html/);
    assert.match(answer.body, /Reference <code>[0-9a-f-]{36}<\/code>/);
  });
});

test('The reference of a refusal finds it in the relay’s own log; what anyone can cause at will is not kept', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const sample = await createSample([], { log });
  try {
    const ask = async (url: string, cookie?: string) => {
      const { body } = await sample.app.inject({ url, headers: { ...(cookie ? { cookie } : {}) } });
      return (JSON.parse(body) as { reference: string }).reference;
    };
    const reference = await ask('/api/v1/audit', 'sample=alice');
    await ask('/nothing');
    await ask('/api/v1/me');
    assert.equal(lines.length, 1, lines.join(''));
    const { code, detail, reference: kept } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
    assert.deepEqual([code, kept], ['forbidden', reference]);
    assert.match(String(detail), /roles/);
  } finally {
    await sample.app.close();
  }
});

test('Strangers who send what cannot be read do not fill the relay’s own log', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(line) });
  const sample = await createSample([], { log });
  for (let times = 0; times < 50; times += 1) {
    assert.equal((await sample.app.inject({ url: '/%zz' })).statusCode, 400);
  }
  assert.equal(lines.length, 1, lines.join(''));
  await sample.app.close();
  // What was counted is said once.
  assert.equal(lines.length, 2, lines.join(''));
  assert.equal((JSON.parse(lines[1] ?? '') as { times?: number }).times, 49);
});

describe('Strangers', () => {
  it('get 429 beyond the rate, the API and unknown addresses alike', async () => {
    const sample = await createSample([], { requestsPerMinute: 3 });
    try {
      const codes: number[] = [];
      for (let n = 0; n < 5; n += 1) codes.push((await sample.app.inject({ url: '/api/v1/me' })).statusCode);
      assert.deepEqual(codes, [401, 401, 401, 429, 429]);
      const last = await sample.app.inject({ url: '/api/v1/me' });
      assert.equal(last.json<{ code: string }>().code, 'limit_reached');
      assert.ok(Number(last.headers['retry-after']) > 0);
      const unknown: number[] = [];
      for (let n = 0; n < 5; n += 1) unknown.push((await sample.app.inject({ url: '/x' })).statusCode);
      assert.equal(unknown.at(-1), 429);
      const unreadable: number[] = [];
      for (let n = 0; n < 5; n += 1) unreadable.push((await sample.app.inject({ url: '/%zz' })).statusCode);
      assert.equal(unreadable.at(-1), 429);
    } finally {
      await sample.app.close();
    }
  });
});

describe('Headers', () => {
  for (const [origin, hsts] of [
    ['http://postern.localhost:8080', undefined],
    ['https://access.example.com', 'max-age=31536000'],
  ] as const) {
    it(`are strict on ${origin}`, async () => {
      const { app } = await createSample([], { origin });
      try {
        const { headers } = await app.inject({ url: '/nothing' });
        assert.equal(headers['strict-transport-security'], hsts);
        const policy = String(headers['content-security-policy']);
        assert.match(policy, /default-src 'none'/);
        assert.match(policy, /script-src 'self'(;|$)/);
        assert.match(policy, /style-src 'self'(;|$)/);
        assert.match(policy, /frame-ancestors 'none'/);
        assert.doesNotMatch(policy, /unsafe|\*|https?:/);
        assert.equal(headers['x-content-type-options'], 'nosniff');
        for (const url of ['/%zz', '/%ff', `/api/v1/audit/${'a'.repeat(300)}`, '//evil', '/.unreadable'])
          for (const accept of ['text/html', 'application/json']) {
            const odd = (await app.inject({ url, headers: { accept } })).headers;
            for (const name of [
              'strict-transport-security',
              'content-security-policy',
              'x-content-type-options',
              'x-frame-options',
              'referrer-policy',
              'cache-control',
            ])
              assert.equal(odd[name], headers[name], `${name} of ${url}`);
          }
      } finally {
        await app.close();
      }
    });
  }
});

describe('Small pages', () => {
  it('escape every value', () => {
    const hostile = `<script>alert(1)</script>"'&`;
    const text = page({ title: hostile, body: html`<p title="${hostile}">${hostile}</p>`, reference: hostile });
    assert.doesNotMatch(text, /<script>alert/);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;&quot;&#39;&amp;/);
  });

  it('name the browsers that can sign in on localhost', () => {
    const text = page(unsupportedBrowserPage('http://postern.localhost:8080'));
    assert.match(text, /open <code>http:\/\/postern\.localhost:8080\/<\/code> in one of them/);
    for (const name of ['Chromium', 'Chrome', 'Edge', 'Firefox']) assert.match(text, new RegExp(name));
  });
});
