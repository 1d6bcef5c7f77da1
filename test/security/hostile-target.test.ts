import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { asAlice, createWorld, HOST, type World } from '../gateway/world.ts';

const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\n\r\n`;
const UPGRADE = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\nOrigin: http://${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n`;

/** The client's view of a target that answers each request with these bytes. */
async function through(world: World, bytes: string, request: string): Promise<string> {
  const target = createServer((client) => {
    client.on('error', () => client.destroy());
    client.once('data', () => client.write(bytes, 'latin1'));
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  world.dialPort = (target.address() as AddressInfo).port;
  const answer = await world.raw(request, (text) => text.includes('\r\n\r\n'));
  target.close();
  return answer;
}

describe('a hostile target', () => {
  it('cannot end a line in an answer, by 200 or by 101', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const planted = 'X-A: b%Set-Cookie: planted=1\r\n';
    for (const end of ['\r', '\n', '\r\n\t', '\x00', '\x01'])
      for (const [request, head] of [
        [GET, 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n'],
        [UPGRADE, 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'],
      ] as const) {
        const answer = await through(world, `${head}${planted.replace('%', end)}\r\n`, request);
        assert.doesNotMatch(answer, /^Set-Cookie: planted/m, JSON.stringify(end));
        assert.match(answer, /^HTTP\/1\.1 502 /, JSON.stringify(end));
      }
  });

  it('gets no 101 for a request that asked for none', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const answer = await through(world, 'HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', GET);
    assert.match(answer, /^HTTP\/1\.1 502 /);
  });

  it('a reason with a control byte is 502; the outcome is there and nothing stays open', async () => {
    await using world = await createWorld((_req, res) => res.end());
    const answer = await through(world, 'HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n', GET);
    assert.match(answer, /^HTTP\/1\.1 502 /);
    assert.equal((await world.audit.outcomeOf(0)).end, 'target_closed');
    assert.equal(world.gateway.live.list().length, 0);
  });

  it('sets no cookie under our names, in no spelling that browsers take', async () => {
    const spellings = [
      '__Host-postern-session=x; Secure; Path=/',
      '__HOST-Postern-Session=x; Secure; Path=/',
      ' \t__Host-postern-session =x',
      '__Host-postern-flow-0=x',
      '__Host-postern-session',
      // Nameless: the browser sends `Cookie: __Host-postern-session=x` to every host of the domain.
      '=__Host-postern-session=x; Domain=test; Path=/',
      ' = __Host-postern-session=x; Domain=test',
      '=__Host-postern-session; Domain=test',
      '==__Host-postern-session=x',
    ];
    await using world = await createWorld((_req, res) => {
      res.setHeader('Set-Cookie', [...spellings, 'own=1', '=__Host-other=1']);
      res.end();
    });
    const answer = await world.get('/', asAlice);
    assert.deepEqual(answer.headers['set-cookie'], ['own=1', '=__Host-other=1']);
  });
});

describe('fields that apps believe of a proxy', () => {
  const fields = {
    'X-Original-URL': '/admin',
    'X-Rewrite-URL': '/admin',
    X_Original_Url: '/admin',
    'X-Original-Host': 'evil.test',
    Proxy: 'http://evil.test',
    'X-Remote-User': 'root',
    'Remote-Groups': 'wheel',
    'X-Auth-Request-Email': 'root@example.com',
    'X-WEBAUTH-USER': 'root',
    'Client-Cert': ':MIIB:',
    'SSL-Client-S-DN': 'CN=root',
    'X-SSL-Client-Verify': 'SUCCESS',
    'True-Client-IP': '10.0.0.1',
    'CF-Connecting-IP': '10.0.0.1',
    'X-Client-IP': '10.0.0.1',
  };

  it('never come from a client: policy and app read one path, one person, one address', async () => {
    await using world = await createWorld((_req, res) => res.end());
    world.resource({ identityHeaders: {} });
    await world.get('/public', { ...asAlice, ...fields, 'Remote-User': 'root' });
    const received = world.seen[0]?.rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
    for (const name of [...Object.keys(fields), 'Remote-User'])
      assert.equal(received?.includes(name.toLowerCase()), false, name);
  });

  it('the relay itself sends those that it was told to', async () => {
    await using world = await createWorld((_req, res) => res.end());
    await world.get('/', { ...asAlice, 'Remote-User': 'root', Remote_User: 'root' });
    const { rawHeaders = [] } = world.seen[0] ?? {};
    const users = rawHeaders.filter((_, at) => at % 2 === 1 && /^remote.user$/i.test(rawHeaders[at - 1] ?? ''));
    assert.deepEqual(users, ['alice@example.com']);
  });
});
