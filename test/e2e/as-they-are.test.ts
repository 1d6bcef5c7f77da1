import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { listen } from '../gateway/world.ts';
import { type Chromium, openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { type RecordingTarget, startRecordingTarget } from './recording-target.ts';
import { EMPLOYEES_ONLY, startWorld, type World } from './world.ts';

const POLICY = {
  rules: [
    ...EMPLOYEES_ONLY.rules,
    { id: 'hooks', effect: 'allow', who: ['anyone'], what: ['resource:wiki'], methods: ['POST'], paths: ['/hooks/*'] },
  ],
};

describe('an app as it is', () => {
  const held = new AsyncDisposableStack();
  let world: World;
  let chromium: Chromium;
  let target: RecordingTarget;
  /** A page of another site, with a form to post. */
  let idp: string;
  let form = '';

  before(async () => {
    chromium = held.use(await startChromium());
    target = held.use(await startRecordingTarget());
    const server = createServer((_req, res) => res.setHeader('content-type', 'text/html').end(form));
    held.defer(() => void server.close());
    idp = `http://localhost:${await listen(server)}`;
    const wiki = {
      target: target.url,
      hosts: ['wiki.postern.localhost', 'old.postern.localhost'],
      targetHost: 'inner.example:8080',
      paths: 'lenient',
      unsafeFrom: { paths: ['/saml/acs'], origins: [idp] },
    };
    world = held.use(await startWorld({ database: 'embedded', resources: { wiki }, policy: POLICY }));
  });
  after(() => held.disposeAsync());

  test('one sign-in serves all its hosts, each with a cookie of its own; the target gets its own Host', async () => {
    const context = await chromium.person();
    const page = await openAs(context, 'alice', `${world.origin('wiki')}/a`);
    await page.goto(`${world.origin('old')}/b`);
    assert.equal(await page.innerText('h1'), 'Recorded', 'nobody asked for a password again');
    const cookies = (await context.cookies()).filter(({ name }) => name === '__Host-postern-session');
    assert.equal(new Set(cookies.map(({ value }) => value)).size, 3, 'relay and both hosts');
    const seen = target.seen.find((each) => each.target === '/b');
    assert.equal(seen?.headers.host, 'inner.example:8080');
    assert.equal(seen.headers['x-forwarded-host'], new URL(world.origin('old')).host);
    const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
    const record = (await auditor.audit('who:alice@example.com')).find(({ id }) => id === seen.headers['x-request-id']);
    assert.equal(record?.host, new URL(world.origin('old')).host);
    assert.equal(record.resource, 'wiki');
  });

  test('another site posts its form with the cookie, to the listed path alone', async () => {
    const context = await chromium.person();
    const page = await openAs(context, 'bob', `${world.origin('wiki')}/`);
    const post = async (path: string) => {
      form = `<form method=post action="${world.origin('wiki')}${path}"><input name=SAMLResponse value=x><button>go</button></form>`;
      await page.goto(idp);
      await page.click('button');
      await page.waitForURL((url) => url.hostname === 'wiki.postern.localhost');
      return page.innerText('h1');
    };
    assert.equal(await post('/saml/acs'), 'Recorded');
    const seen = target.seen.find((each) => each.target === '/saml/acs');
    assert.equal(seen?.method, 'POST');
    assert.ok(seen.headers['x-postern-assertion'], 'as the person');
    assert.equal(await post('/elsewhere'), 'You do not have access');
    assert.equal(
      target.seen.some((each) => each.target === '/elsewhere'),
      false,
    );
  });

  test('a webhook needs no sign-in, asserts nobody, and is in the log without a name', async () => {
    const { port } = new URL(world.relay);
    const call = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { 'x-signature': 'ab' } });
    assert.equal((await call('/hooks/push')).status, 401, 'not without its host');
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const host = new URL(world.origin('wiki')).host;
      request({ port, path: '/hooks/push', method: 'POST', headers: { host } }, (res) => {
        res.resume();
        resolve(res.statusCode);
      })
        .on('error', reject)
        .end('{}');
    });
    assert.equal(status, 200);
    const seen = target.seen.find((each) => each.target === '/hooks/push');
    assert.equal(seen?.headers['x-postern-assertion'], undefined);
    const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
    const record = (await auditor.audit('resource:wiki')).find(({ id }) => id === seen?.headers['x-request-id']);
    assert.equal(record?.rule, 'hooks');
    assert.equal(record.personal?.email, undefined);
    assert.equal(record.personal?.path, '/hooks/push');
  });
});
