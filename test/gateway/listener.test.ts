import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { createListener } from '../../src/gateway/listener.ts';
import { listen } from './world.ts';

async function answerTo(bytes: string): Promise<string> {
  const server = createListener({
    relayHost: 'relay.test:8080',
    control: (_req, res) => res.end('control'),
    tunnelUpgrade: (_req, socket) => socket.end('tunnel'),
    gateway: {
      handleRequest: (_req, res) => res.end('gateway'),
      handleUpgrade: (_req, socket) => socket.end('gateway upgrade'),
    },
  });
  const port = await listen(server);
  try {
    return await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve(answer));
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const get = (host: string, rest = '', path = '/') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${rest}\r\n`;
const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';

describe('the listener', () => {
  it('gives exactly its own host to the control plane and the rest to the gateway', async () => {
    assert.match(await answerTo(get('relay.test:8080')), /control$/);
    assert.match(await answerTo(get('RELAY.test:8080')), /control$/);
    for (const host of ['relay.test', 'relay.test:8081', 'wiki.relay.test:8080', 'a@relay.test:8080', '']) {
      assert.match(await answerTo(get(host)), /gateway$/, host);
    }
    assert.match(await answerTo(get('relay.test:8080', 'Host: wiki.test\r\n')), /gateway$/);
    assert.match(await answerTo(get('relay.test:8080', 'host: relay.test:8080\r\n')), /gateway$/);
  });

  it('gives upgrades of /tunnel on its own host to the tunnel, none to the control plane', async () => {
    assert.equal(await answerTo(get('relay.test:8080', upgrade, '/tunnel')), 'tunnel');
    assert.match(await answerTo(get('relay.test:8080', upgrade)), /^HTTP\/1\.1 404 /);
    assert.match(await answerTo(get('relay.test:8080', upgrade, '/tunnel?x')), /^HTTP\/1\.1 404 /);
    assert.equal(await answerTo(get('wiki.test', upgrade, '/tunnel')), 'gateway upgrade');
  });

  it('takes a wish for another protocol as an ordinary request', async () => {
    assert.match(await answerTo(get('wiki.test', 'Connection: Upgrade\r\nUpgrade: h2c\r\n')), /gateway$/);
  });

  it('answers CONNECT and unknown expectations itself', async () => {
    assert.match(await answerTo('CONNECT wiki.test:80 HTTP/1.1\r\nHost: wiki.test:80\r\n\r\n'), /^HTTP\/1\.1 501 /);
    assert.match(await answerTo(get('wiki.test', 'Expect: tea\r\n')), /^HTTP\/1\.1 417 /);
  });
});
