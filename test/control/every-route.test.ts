import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Answer, ourPage, startWholeRelay, type WholeRelay } from './whole-relay.ts';

const NOBODYS_ID = '01900000-0000-7000-8000-000000000000';

/** Valid bodies of the routes that need one. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /cli/authorize': {
    redirectUri: 'http://127.0.0.1:4000/callback',
    state: 's',
    challenge: 'c'.repeat(43),
    machine: 'test',
    answer: 'refuse',
  },
  'POST /cli/device': { machine: 'test' },
  'POST /cli/device/token': { deviceCode: 'unknown' },
  'POST /cli/device/answer': { code: 'BBBB-BBBB', answer: 'refuse' },
  'POST /cli/token': { code: 'unknown', verifier: 'v'.repeat(43), redirectUri: 'http://127.0.0.1:4000/callback' },
  'POST /api/v1/agents/enroll': {
    token: 'unknown',
    name: 'office',
    publicKey: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  },
  'POST /api/v1/agents/credential': { assertion: 'unknown' },
  'POST /admin-link': { code: 'unknown' },
  'POST /api/v1/agents/:name/drain': { drained: true },
  'POST /api/v1/services/:name/disable': { disabled: true },
  'POST /api/v1/services/:name/tokens': { scope: ['wiki'], expiresAt: Date.now() + 3_600_000 },
  'POST /api/v1/accesses/:id/terminate': { reason: 'This is a test.' },
  'POST /api/v1/leases': { resource: 'db' },
};

/** What is not answered with 200 where it is allowed: the walk names what does not exist, and strangers prove nothing. */
const ALLOWED: Readonly<Record<string, number>> = {
  'GET /sign-in': 303,
  'GET /oidc/callback': 403,
  'GET /hand-off': 400,
  'POST /admin-link': 403,
  'GET /assets/*': 404,
  'POST /cli/token': 401,
  'POST /cli/device/answer': 404,
  'POST /api/v1/agents/enroll': 403,
  'POST /api/v1/agents/credential': 403,
  'POST /api/v1/agents/:name/revoke': 404,
  'POST /api/v1/agents/:name/drain': 404,
  'POST /api/v1/agents/tokens/:id/revoke': 404,
  'POST /api/v1/services/:name/disable': 404,
  'POST /api/v1/services/:name/tokens': 404,
  'POST /api/v1/services/:name/tokens/:id/rotate': 404,
  'POST /api/v1/services/:name/tokens/:id/revoke': 404,
  'POST /api/v1/accesses/:id/terminate': 404,
  'POST /api/v1/leases': 404,
  'DELETE /api/v1/leases/:id': 404,
  'DELETE /api/v1/sessions/:id': 404,
};

const QUERIES: Readonly<Record<string, string>> = {
  'GET /cli/authorize': `?redirect_uri=http://127.0.0.1:4000/callback&state=s&code_challenge=${'c'.repeat(43)}`,
};

/** A person agrees to these in a browser: by token they are refused. */
const BY_BROWSER = ['POST /cli/authorize', 'POST /cli/device/answer'];

const ROLES = { alice: [], audrey: ['auditor'], olga: ['security'], root: ['admin'] } as const;
const GROUPS = { alice: ['employees'], audrey: ['audit'], olga: ['security'], root: ['admins'] } as const;
type Name = keyof typeof ROLES;
const NAMES = Object.keys(ROLES) as Name[];

describe('Every route of a whole relay', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let record: string;
  let services = 0;
  const cookies = new Map<Name, string>();
  const tokens = new Map<Name, string>();

  before(async () => {
    whole = undo.use(await startWholeRelay());
    for (const name of NAMES) {
      const cookie = await whole.signIn(name, GROUPS[name]);
      cookies.set(name, cookie);
      tokens.set(name, await whole.issueToken(cookie));
    }
    const { body } = await whole.ask('/api/v1/audit?limit=1', { headers: { cookie: cookies.get('audrey') ?? '' } });
    record = (JSON.parse(body) as { rows: { id: string }[] }).rows[0]?.id ?? assert.fail('nothing is on record');
  });
  after(() => undo.disposeAsync());

  const routes = () => [...whole.relay.permissions].map(([route, permission]) => ({ route, permission }));
  const changing = () => routes().filter(({ route }) => !/^(GET|HEAD) /.test(route));
  const addressOf = (route: string) => {
    const [method = '', pattern = ''] = route.split(' ');
    const id = pattern.startsWith('/audit/') || pattern.startsWith('/api/v1/audit/') ? record : NOBODYS_ID;
    const path = pattern.replace(':id', id).replace(':name', 'office').replace('*', 'nothing.js');
    return { method, path: path + (QUERIES[route] ?? QUERIES[route.replace('HEAD', 'GET')] ?? '') };
  };
  const bodyOf = (route: string) =>
    route === 'POST /api/v1/tokens'
      ? { audience: whole.origin.replace('postern.', 'wiki.postern.') }
      : route === 'POST /api/v1/services'
        ? { name: `s${(services += 1)}`, owner: 'test' }
        : (BODIES[route] ?? {});
  /** As a page of ours, or a program, would ask; `headers` undefined drop one of those. */
  const ask = (route: string, headers: Record<string, string | undefined>, body: object = bodyOf(route)) => {
    const { method, path } = addressOf(route);
    const safe = method === 'GET' || method === 'HEAD';
    const all = { ...(safe ? {} : ourPage(whole.origin)), ...headers };
    const sent = Object.fromEntries(
      Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    return whole.ask(path, { method, headers: sent, ...(safe ? {} : { body: JSON.stringify(body) }) });
  };
  const allowedStatus = (route: string) => ALLOWED[route.replace('HEAD', 'GET')] ?? 200;
  const mayCall = (name: Name, route: string) => {
    const permission = whole.relay.permissions.get(route);
    const roles: readonly string[] = ROLES[name];
    return Array.isArray(permission) ? permission.some((role: string) => roles.includes(role)) : true;
  };
  const codeOf = ({ body }: Answer) => (body === '' ? undefined : (JSON.parse(body) as { code?: string }).code);
  const refusedToPrograms = (route: string) => BY_BROWSER.includes(route);
  /** Ends what asks, so each gets a session of its own. */
  const ENDS_SESSION = ['POST /api/v1/sign-out', 'DELETE /api/v1/tokens/current'];

  it('is walked', () => {
    assert.ok(routes().length > 40, `${routes().length} routes`);
    assert.ok(changing().length >= 9, `${changing().length} routes that change something`);
    for (const route of [...Object.keys(BODIES), ...Object.keys(ALLOWED), ...Object.keys(QUERIES)]) {
      // Without a built console there are no assets.
      if (route === 'GET /assets/*') continue;
      assert.ok(whole.relay.permissions.has(route), `${route} does not exist any more`);
    }
  });

  it('refuses strangers with 401 where it is not for anyone', async () => {
    for (const { route, permission } of routes()) {
      const answer = await ask(route, {});
      if (permission === 'anyone') assert.equal(answer.status, allowedStatus(route), `${route}: ${answer.body}`);
      else {
        assert.equal(answer.status, 401, route);
        if (!route.startsWith('HEAD')) assert.equal(codeOf(answer), 'unauthenticated', route);
      }
    }
  });

  it('answers each role as declared, by cookie and by token', async () => {
    for (const { route, permission } of routes()) {
      if (permission === 'anyone') continue;
      for (const name of NAMES) {
        const own = ENDS_SESSION.includes(route) ? await whole.signIn(name, GROUPS[name]) : (cookies.get(name) ?? '');
        const token = ENDS_SESSION.includes(route) ? await whole.issueToken(own) : (tokens.get(name) ?? '');
        const program = {
          'postern-token': token,
          origin: undefined,
          'sec-fetch-site': undefined,
          'sec-fetch-mode': undefined,
        };
        for (const credential of ENDS_SESSION.includes(route) ? [program] : [{ cookie: own }, program]) {
          const answer = await ask(route, credential);
          const how = `${name} ${'cookie' in credential ? 'by cookie' : 'by token'}: ${route}: ${answer.body.slice(0, 300)}`;
          const inBrowser = 'cookie' in credential;
          if (mayCall(name, route) && (inBrowser || !refusedToPrograms(route))) {
            const unbuilt = answer.status === 503 && /console is not built/.test(answer.body);
            if (!unbuilt && !(answer.status === 503 && route.startsWith('HEAD')))
              assert.equal(answer.status, allowedStatus(route), how);
          } else {
            assert.equal(answer.status, 403, how);
            if (!route.startsWith('HEAD')) assert.equal(codeOf(answer), 'forbidden', how);
          }
        }
      }
    }
  });

  it('lets nobody keep its answers, but for what is the same for everyone', async () => {
    for (const { route } of routes()) {
      // A built console would have more of them.
      if (ENDS_SESSION.includes(route) || route.includes('/assets/')) continue;
      const { path } = addressOf(route);
      const kept = path === '/favicon.svg' || path === '/.well-known/jwks.json' || path.startsWith('/page-');
      const { headers } = await ask(route, { cookie: cookies.get('root') });
      assert.match(headers['cache-control'] ?? '', kept ? /^public, max-age=\d+/ : /^no-store$/, route);
    }
  });

  it('takes no two identities', async () => {
    for (const { route, permission } of routes()) {
      if (permission === 'anyone' || route.startsWith('HEAD')) continue;
      const answer = await ask(route, { cookie: cookies.get('root'), 'postern-token': tokens.get('root') });
      assert.equal(answer.status, 400, route);
    }
  });

  it('changes nothing for another origin, another site, or no origin, where a cookie comes along', async () => {
    const app = whole.origin.replace('postern.', 'wiki.postern.');
    const forgeries = [
      { origin: app, 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: undefined },
      { origin: undefined, 'sec-fetch-site': undefined },
    ];
    for (const { route, permission } of changing()) {
      if (permission === 'anyone') continue;
      for (const forgery of forgeries) {
        const answer = await ask(route, { cookie: cookies.get('root'), ...forgery });
        assert.equal(answer.status, 403, `${route} ${JSON.stringify(forgery)}`);
        assert.equal(answer.headers['access-control-allow-origin'], undefined, route);
      }
    }
    assert.equal((await ask('GET /api/v1/me', { cookie: cookies.get('root') })).status, 200, 'the session lives');
  });

  it('takes JSON only', async () => {
    for (const { route } of changing()) {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'text/plain; application/json',
        undefined,
      ]) {
        const answer = await ask(route, { cookie: cookies.get('root'), 'content-type': type });
        assert.ok([403, 415].includes(answer.status), `${route} with ${type}: ${answer.status}`);
        const program = await ask(route, {
          'postern-token': tokens.get('root'),
          origin: undefined,
          'content-type': type,
        });
        assert.equal(program.status, refusedToPrograms(route) ? 403 : 415, `${route} by a program with ${type}`);
      }
    }
  });

  it('refuses keys that it does not know', async () => {
    for (const { route } of changing()) {
      const credential = refusedToPrograms(route)
        ? { cookie: cookies.get('root') }
        : { 'postern-token': tokens.get('root') };
      const answer = await ask(route, credential, { ...bodyOf(route), unknown: 1 });
      assert.equal(answer.status, 400, `${route}: ${answer.body}`);
      assert.equal(codeOf(answer), 'request_invalid');
    }
  });

  it('does nothing on other methods, and allows no other origin', async () => {
    const paths = new Set(routes().map(({ route }) => route.slice(route.indexOf(' ') + 1)));
    const known = new Set(routes().map(({ route }) => route));
    for (const pattern of paths) {
      for (const method of ['OPTIONS', 'PUT', 'PATCH', 'DELETE', 'POST', 'PROPFIND']) {
        if (known.has(`${method} ${pattern}`)) continue;
        const { path } = addressOf(`GET ${pattern}`);
        const headers = {
          cookie: cookies.get('root') ?? '',
          origin: 'https://evil.example',
          'access-control-request-method': 'POST',
        };
        const answer = await whole.ask(path, { method, headers });
        assert.ok([403, 404, 405].includes(answer.status), `${method} ${pattern}: ${answer.status}`);
        for (const header of Object.keys(answer.headers)) assert.doesNotMatch(header, /^access-control-/, pattern);
      }
    }
  });

  it('says HEAD as GET, without a body', async () => {
    for (const { route } of routes().filter((each) => each.route.startsWith('HEAD '))) {
      const headers = { cookie: cookies.get('root') ?? '' };
      const [head, get] = [await ask(route, headers), await ask(route.replace('HEAD', 'GET'), headers)];
      assert.equal(head.status, get.status, route);
      assert.equal(head.body, '', route);
    }
  });
});
