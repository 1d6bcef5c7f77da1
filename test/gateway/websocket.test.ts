import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { asAlice, closing, createWorld, HOST, type World } from './world.ts';

function echoOn(world: World): WebSocketServer {
  const sockets = new WebSocketServer({ noServer: true });
  world.target.on('upgrade', (req, socket: Duplex, head: Buffer) => {
    if (req.url === '/plain') {
      socket.end('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 4\r\nX-Why: no\r\n\r\nnope');
      return;
    }
    sockets.handleUpgrade(req, socket, head, (ws) => {
      ws.on('error', () => undefined);
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
    });
  });
  return sockets;
}

function dial(world: World, headers: Record<string, string>, path = '/ws', protocols: string[] = []): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${world.port}${path}`, protocols, { headers: { Host: HOST, ...headers } });
}

const fromOwnPage = { ...asAlice, Origin: `http://${HOST}` };

async function refusal(ws: WebSocket): Promise<number | undefined> {
  ws.on('error', () => undefined);
  const [, res] = (await once(ws, 'unexpected-response')) as [unknown, { statusCode?: number; resume(): void }];
  res.resume();
  return res.statusCode;
}

describe('WebSockets', () => {
  it('pass the same door, carry messages both ways, and are recorded with their bytes', async () => {
    await using world = await createWorld((_req, res) => res.end());
    echoOn(world);
    const ws = dial(world, fromOwnPage);
    await once(ws, 'open');
    assert.equal(world.seen[0]?.intentsBefore, 1);
    assert.equal(world.audit.intents[0]?.access, 'websocket');
    assert.ok(world.seen[0]?.rawHeaders.includes('X-Postern-Assertion'));
    ws.send('hello');
    const [echoed] = (await once(ws, 'message')) as [Buffer];
    assert.equal(echoed.toString(), 'hello');
    const large = Buffer.alloc(3 * 1024 * 1024, 7);
    ws.send(large);
    const [back] = (await once(ws, 'message')) as [Buffer];
    assert.ok(large.equals(back));
    ws.close(1000);
    await once(ws, 'close');
    const outcome = await world.audit.outcomeOf(0);
    assert.match(outcome.end, /^(?:client|target)_closed$/);
    assert.equal(outcome.status, 101);
    assert.ok(outcome.bytesUp > large.length && outcome.bytesDown > large.length);
    assert.equal(world.gateway.live.list().length, 0);
  });

  it('are refused to strangers, foreign pages, the denied, and where they are switched off', async () => {
    await using world = await createWorld((_req, res) => res.end());
    echoOn(world);
    assert.equal(await refusal(dial(world, { Origin: world.origin })), 401);
    assert.equal(await refusal(dial(world, { ...asAlice, Origin: 'http://evil.wiki.test' })), 403);
    assert.equal(await refusal(dial(world, asAlice)), 403);
    assert.equal(world.audit.events.length, 0);
    world.decide = () => ({ effect: 'deny' });
    assert.equal(await refusal(dial(world, fromOwnPage)), 403);
    world.decide = () => ({});
    world.resource({ websocket: false });
    assert.equal(await refusal(dial(world, fromOwnPage)), 403);
    assert.deepEqual(
      world.audit.intents.map(({ effect, access }) => `${effect} ${access}`),
      ['deny websocket', 'deny websocket'],
    );
    world.audit.failing = true;
    world.resource({ websocket: true });
    assert.equal(await refusal(dial(world, fromOwnPage)), 503);
    assert.equal(world.seen.length + world.streams.length, 0);
    world.audit.failing = false;
    const ws = dial(world, { 'Postern-Token': 'pst_alice' });
    await once(ws, 'open');
    ws.terminate();
    assert.equal((await world.audit.outcomeOf(2)).end, 'client_closed');
  });

  it('speak the subprotocol that the target picks among those offered, or end where it picks another', async () => {
    await using world = await createWorld((_req, res) => res.end());
    let picks = 'v1.chat';
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => picks });
    world.target.on('upgrade', (req, socket: Duplex, head: Buffer) =>
      sockets.handleUpgrade(req, socket, head, () => {}),
    );
    const offered = ['v2.chat', 'v1.chat'];
    const ws = dial(world, fromOwnPage, '/ws', offered);
    await once(ws, 'open');
    assert.equal(ws.protocol, 'v1.chat');
    const seen = world.seen[0]?.rawHeaders ?? [];
    assert.equal(seen[seen.indexOf('Sec-WebSocket-Protocol') + 1], offered.join(','));
    ws.terminate();
    picks = 'v9.chat';
    const [error] = (await once(dial(world, fromOwnPage, '/ws', offered), 'error')) as [Error];
    assert.match(error.message, /invalid subprotocol/);
  });

  it('pass on what the target answers instead of 101', async () => {
    await using world = await createWorld((_req, res) => res.end());
    echoOn(world);
    assert.equal(await refusal(dial(world, fromOwnPage, '/plain')), 426);
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.status, 426);
    assert.equal(outcome.end, 'completed');
    assert.equal(outcome.bytesDown, 4);
  });

  it('take bytes that come behind the upgrade in the same packet', async () => {
    await using world = await createWorld((_req, res) => res.end());
    echoOn(world);
    const socket = connect(world.port, '127.0.0.1');
    const upgrade =
      `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\nOrigin: ${world.origin}\r\n` +
      'Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    socket.write(Buffer.concat([Buffer.from(upgrade), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]));
    let got = Buffer.alloc(0);
    for await (const chunk of socket) {
      got = Buffer.concat([got, chunk as Buffer]);
      if (got.includes(Buffer.from([0x81, 0x02, 0x68, 0x69]))) break;
    }
    assert.match(got.toString('latin1'), /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
  });

  it('are cut when pipelined behind a request that is not answered yet', async () => {
    await using world = await createWorld(() => undefined);
    echoOn(world);
    const cookie = `Host: ${HOST}\r\nCookie: ${asAlice.Cookie}\r\nOrigin: ${world.origin}\r\n`;
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
    const answer = await world.raw(`GET / HTTP/1.1\r\n${cookie}\r\nGET /ws HTTP/1.1\r\n${cookie}${upgrade}\r\n`);
    assert.equal(answer, '');
    assert.ok(!world.seen.some(({ url }) => url === '/ws'));
    assert.equal((await world.get('/', {})).status, 401);
  });

  it('end with a reason in both directions when authority ends', async () => {
    await using world = await createWorld((_req, res) => res.end());
    echoOn(world);
    const ws = dial(world, fromOwnPage);
    await once(ws, 'open');
    ws.send('x');
    await once(ws, 'message');
    const targetClosed = closing(world.streams[0]?.socket);
    world.change({ kind: 'session_revoked', session: 'session-bob', reason: 'signed_out' });
    assert.equal(world.gateway.live.list().length, 1);
    world.change({ kind: 'session_revoked', session: 'session-alice', reason: 'signed_out' });
    const [code, reason] = (await once(ws, 'close')) as [number, Buffer];
    assert.equal(code, 1008);
    assert.equal(reason.toString(), 'you signed out');
    await targetClosed;
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.end, 'terminated');
    assert.equal(outcome.reason, 'signed_out');
    assert.ok(outcome.bytesUp > 0 && outcome.bytesDown > 0);
  });
});
