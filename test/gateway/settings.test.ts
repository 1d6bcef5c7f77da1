import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { createRawTarget } from './raw-target.ts';
import { asAlice, closing, createWorld, HOST, type World } from './world.ts';

const COOKIE = `Cookie: ${asAlice.Cookie}\r\n`;

const postHead = ({ origin }: World) =>
  `POST /up HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}Origin: ${origin}\r\nConnection: close\r\n`;

const post = (world: World, rest: string) => world.raw(postHead(world) + rest);

describe('a resource', () => {
  it('may have several hosts, each with its own cookie and origin, and unknown ones stay unknown', async () => {
    await using world = await createWorld((req, res) => res.end(req.headers.host));
    world.resource({ hosts: [HOST, 'old.test'], origins: [world.origin, 'http://old.test'] });
    const old = { ...asAlice, Host: 'old.test' };
    assert.equal((await world.get('/', old)).body, 'old.test');
    assert.equal((await world.get('/', { ...old, Origin: world.origin }, 'POST')).status, 200);
    assert.equal((await world.get('/', { ...old, Origin: 'http://evil.test' }, 'POST')).status, 403);
    assert.deepEqual(world.cookieHosts, ['old.test', 'old.test', 'old.test']);
    assert.deepEqual(
      world.audit.intents.map(({ host, resource }) => ({ host, resource })),
      Array.from({ length: 2 }, () => ({ host: 'old.test', resource: 'wiki' })),
    );
    assert.equal((await world.get('/', { ...old, Host: 'older.test' })).status, 401);
  });

  it('may set Host towards its target; the record holds both', async () => {
    await using world = await createWorld((req, res) =>
      res.end(req.rawHeaders.filter((text) => /test|8080/.test(text)).join(' ')),
    );
    world.resource({ targetHost: 'inner.test:8080' });
    assert.equal((await world.get('/', asAlice)).body, `inner.test:8080 ${HOST}`);
    assert.deepEqual([world.audit.intents[0]?.host, world.audit.intents[0]?.targetHost], [HOST, 'inner.test:8080']);
  });

  it('may bound the bodies it takes, by length before anything is forwarded and by count on the way', async () => {
    await using world = await createWorld((req, res) => {
      req.on('error', () => undefined);
      req.resume().on('end', () => res.end('took it'));
    });
    world.resource({ bodyLimitBytes: 10 });
    assert.match(await post(world, 'Content-Length: 10\r\n\r\n0123456789'), /^HTTP\/1\.1 200 [^]*took it$/);
    assert.match(await post(world, 'Content-Length: 11\r\n\r\n0123456789x'), /^HTTP\/1\.1 413 [^]*limit_reached/);
    assert.equal(world.seen.length, 1);
    assert.equal((await world.audit.outcomeOf(1)).end, 'body_too_large');
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n';
    assert.match(await post(world, `${chunked}a\r\n0123456789\r\n0\r\n\r\n`), /^HTTP\/1\.1 200 /);
    assert.match(await post(world, `${chunked}b\r\n0123456789x\r\n0\r\n\r\n`), /^HTTP\/1\.1 413 /);
    assert.equal((await world.audit.outcomeOf(3)).end, 'body_too_large');
  });

  it('cuts off an answer that had begun when the body became too large, and says why in the log', async () => {
    for (const early of [
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc',
    ]) {
      await using target = await createRawTarget((socket) => socket.write(early));
      await using world = await createWorld(() => undefined);
      world.dialPort = target.port;
      world.resource({ bodyLimitBytes: 10 });
      const client = connect(world.port, '127.0.0.1');
      client.write(`${postHead(world)}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`);
      let answer = '';
      client.setEncoding('latin1').on('data', (text: string) => {
        if (answer === '') client.write('8\r\n01234567\r\n');
        answer += text;
      });
      const closed = closing(client);
      const { end, bytesUp } = await world.audit.outcomeOf(0);
      assert.deepEqual([end, bytesUp], ['body_too_large', 11], early);
      await closed;
      assert.match(
        answer,
        early.includes('103') ? /^HTTP\/1\.1 103 [^]*HTTP\/1\.1 413 / : /^HTTP\/1\.1 200 [^]*\r\n\r\nabc$/,
      );
    }
  });

  it('may give its target less time for the head and less silence in the body', async () => {
    await using world = await createWorld((req, res) => {
      if (req.url === '/body') res.write('begun');
    });
    world.resource({ timeouts: { headersMs: 300, idleMs: 300 } });
    const late = await world.get('/head', asAlice);
    assert.equal(late.status, 504);
    assert.equal((await world.audit.outcomeOf(0)).end, 'timed_out');
    const broken = await world.raw(`GET /body HTTP/1.1\r\nHost: ${HOST}\r\n${COOKIE}\r\n`);
    assert.match(broken, /begun/);
    assert.doesNotMatch(broken, /\r\n0\r\n\r\n$/);
    assert.equal((await world.audit.outcomeOf(1)).end, 'timed_out');
  });

  it('takes forms of other sites only as POST, at a listed path, from a listed origin', async () => {
    await using world = await createWorld((_req, res) => res.end('in'));
    world.resource({ unsafeFrom: { paths: ['/saml/acs'], origins: ['https://idp.test'] } });
    const from = async (origin: string, path: string, method = 'POST') =>
      (await world.get(path, { ...asAlice, Origin: origin, 'Sec-Fetch-Site': 'cross-site' }, method)).status;
    assert.equal(await from('https://idp.test', '/saml/acs'), 200);
    assert.equal(await from('https://idp.test', '/saml/acs?a=b'), 200);
    assert.equal(await from('https://idp.test', '/saml/acs/'), 403);
    assert.equal(await from('https://idp.test', '/saml'), 403);
    assert.equal(await from('https://idp.test', '/saml/acs', 'PUT'), 403);
    assert.equal(await from('https://evil.test', '/saml/acs'), 403);
    assert.equal(await from('null', '/saml/acs'), 403);
  });

  it('that takes forms of other sites has a cookie for it, and refuses what a Lax cookie would have kept back', async () => {
    await using world = await createWorld((_req, res) => res.end('in'));
    world.resource({
      unsafeFrom: { paths: ['/acs'], origins: ['https://idp.test'] },
      corsOrigins: ['https://app.test'],
    });
    await world.get('/.postern/redeem?code=good');
    assert.deepEqual(world.crossSite, [true]);
    const get = async (headers: Record<string, string>) =>
      (await world.get('/', { ...asAlice, 'Sec-Fetch-Site': 'cross-site', ...headers })).status;
    assert.equal(await get({ 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }), 200);
    assert.equal(await get({ 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' }), 403);
    assert.equal(await get({ 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }), 403);
    assert.equal(await get({ 'Sec-Fetch-Mode': 'cors', Origin: 'https://evil.test' }), 403);
    assert.equal(await get({ 'Sec-Fetch-Mode': 'cors', Origin: 'https://app.test' }), 200);
  });
});
