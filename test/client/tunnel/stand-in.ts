import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Credential } from '../../../src/client/credentials.ts';
import { Secret } from '../../../src/lib/secret.ts';
import type { TunnelStream } from '../../../src/tunnel/stream.ts';
import {
  encodeAnswer,
  receiveHeader,
  type StreamAnswer,
  type StreamHeader,
} from '../../../src/tunnel/stream-header.ts';
import { Tunnel } from '../../../src/tunnel/tunnel.ts';
import { CLIENT_SUBPROTOCOL, WebSocketAcceptor } from '../../../src/tunnel/websocket-upgrade.ts';

const LIMIT_MS = 10_000;

/** The relay's end of clients' tunnels, without what decides and records: a test says what it answers. */
export class StandInRelay {
  readonly origin: string;
  readonly tunnels: Tunnel[] = [];
  readonly headers: StreamHeader[] = [];
  token = 'pst_good';
  /** What GET /api/v1/resources lists. */
  resources: object[] = [tcpResource('db')];
  /** How often it was asked for them in vain. */
  turnedAway = 0;
  /** A stream that is answered `ok` comes here. */
  serve: (stream: Duplex, header: StreamHeader) => void = (stream) => stream.pipe(stream);
  answer: (header: StreamHeader) => StreamAnswer | 'reset' | 'tunnel_ends' = () => ({ ok: true });

  private constructor(port: number) {
    this.origin = `http://postern.localhost:${port}`;
  }

  static async start(t: TestContext, atPort = 0): Promise<StandInRelay> {
    const server = createServer((request, response) => {
      if (request.url === '/cli/token') {
        // Whoever has been in the browser gets the token that is good now.
        const signedIn = { token: relay.token, expiresAt: Date.now() + 60_000, person: 'alice' };
        return void request.resume().on('end', () => response.end(JSON.stringify(signedIn)));
      }
      const mayAsk = request.url === '/api/v1/resources' && request.headers['postern-token'] === relay.token;
      if (!mayAsk) relay.turnedAway += 1;
      response.writeHead(mayAsk ? 200 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify(mayAsk ? { resources: relay.resources } : { detail: 'Your sign-in has ended.' }));
    });
    await new Promise<void>((resolve) => server.listen(atPort, '127.0.0.1', resolve));
    const relay = new StandInRelay((server.address() as AddressInfo).port);
    const webSockets = new WebSocketAcceptor(CLIENT_SUBPROTOCOL);
    server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
      if (request.headers.authorization !== `Bearer ${relay.token}`) {
        const body = JSON.stringify({ title: 'Unauthenticated', detail: 'Your sign-in has ended.' });
        socket.end(
          `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        );
        return;
      }
      webSockets.accept(request, socket, head, (transport) => {
        transport.sendText(JSON.stringify({ type: 'ready', tunnel: `t${relay.tunnels.length}`, now: Date.now() }));
        const tunnel = new Tunnel(transport, {
          side: 'relay',
          heartbeatMs: 15_000,
          accept: (stream) => {
            void relay.#serve(stream, tunnel);
            return true;
          },
        });
        relay.tunnels.push(tunnel);
      });
    });
    t.after(() => {
      for (const tunnel of relay.tunnels) tunnel.close('normal', 'The test is over.');
      server.close();
      server.closeAllConnections();
    });
    return relay;
  }

  credential(): Credential {
    return {
      relay: this.origin,
      token: new Secret('pst_good'),
      expiresAt: Date.now() + 60_000,
      person: 'alice',
      profile: 'test',
    };
  }

  async #serve(stream: TunnelStream, tunnel: Tunnel): Promise<void> {
    const header = await receiveHeader(stream, LIMIT_MS);
    this.headers.push(header);
    const answer = this.answer(header);
    if (answer === 'reset') return void stream.destroy();
    if (answer === 'tunnel_ends') return tunnel.close('relay_stopping', 'The relay is stopping.');
    if (!answer.ok) return void stream.resume().end(encodeAnswer(answer));
    stream.write(encodeAnswer(answer));
    this.serve(stream, header);
  }
}

export function tcpResource(name: string, protocol = 'tcp'): object {
  return { name, protocol, title: name, description: null, url: null, tags: [] };
}

/** What a browser does at the address that a command line shows. */
export async function signInAt(address: string): Promise<void> {
  const wanted = new URL(address).searchParams;
  const back = new URL(wanted.get('redirect_uri') ?? '');
  back.search = new URLSearchParams({ code: 'a-code', state: wanted.get('state') ?? '' }).toString();
  const { status } = await fetch(back);
  if (status !== 200) throw new Error(`The command line answered ${status}.`);
}
