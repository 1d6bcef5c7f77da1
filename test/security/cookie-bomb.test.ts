import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { asAlice, createWorld, HOST } from '../gateway/world.ts';

const bomb = (host: string, kilobytes: number) =>
  `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${asAlice.Cookie}; bomb=${'x'.repeat(kilobytes * 1024)}\r\n\r\n`;

describe('more cookies than a request may carry', () => {
  for (const host of [HOST, 'relay.test', 'unknown.test'])
    it(`get a page that says how to delete them, and nothing is deleted (${host})`, async () => {
      await using world = await createWorld((_req, res) => res.end());
      for (const kilobytes of [33, 400]) {
        const answer = await world.raw(bomb(host, kilobytes));
        assert.match(answer, /^HTTP\/1\.1 431 .*\r\n/);
        assert.match(answer, /Delete the cookies of this site/);
        assert.match(answer, /^Content-Security-Policy: default-src 'none'/m);
        assert.doesNotMatch(answer, /Clear-Site-Data|Set-Cookie/i);
        assert.ok(answer.endsWith('</html>\n'), 'whole');
      }
      assert.equal(world.seen.length, 0);
    });

  it('their twin: as many as it may', async () => {
    await using world = await createWorld((_req, res) => res.end());
    assert.match(await world.raw(bomb(HOST, 8), (text) => text.includes('\r\n\r\n')), /^HTTP\/1\.1 200 /);
  });

  it('write nothing into the middle of another answer', async () => {
    await using world = await createWorld((_req, res) => void res.writeHead(200).write('begun'));
    const client = connect(world.port, '127.0.0.1');
    let said = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      if (text.includes('begun')) client.write(bomb(HOST, 33));
      said += text;
    });
    client.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\n\r\n`);
    client.on('error', () => undefined);
    await once(client, 'close');
    assert.doesNotMatch(said, /431/);
  });
});
