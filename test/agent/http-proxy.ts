import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface SmallProxy {
  readonly origin: string;
  /** `host:port` of each CONNECT that was let through. */
  readonly led: string[];
  /** What refused ones got. */
  readonly refused: number[];
  /** As a cut cable: what is open passes nothing any more, stays open, and nobody is told. New connections pass. */
  cut(): void;
}

/** A CONNECT proxy that leads everything to 127.0.0.1, for those who know `user:password` if that is given. */
export async function startProxy(t: TestContext, credentials?: string): Promise<SmallProxy> {
  const led: string[] = [];
  const refused: number[] = [];
  const open = new Set<Socket>();
  const lines = new Set<Socket>();
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, near: Socket, head: Buffer) => {
    near.on('error', () => {});
    if (expected && request.headers['proxy-authorization'] !== expected) {
      refused.push(407);
      near.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n');
      return;
    }
    const target = request.url ?? '';
    const far = connect(Number(target.split(':')[1]), '127.0.0.1', () => {
      led.push(target);
      near.write('HTTP/1.1 200 Connection established\r\nVia: 1.1 small\r\n\r\n');
      far.write(head);
      near.on('data', (chunk) => lines.has(near) && far.write(chunk));
      far.on('data', (chunk) => lines.has(near) && near.write(chunk));
      lines.add(near);
    });
    far.on('error', () => near.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    open.add(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    led,
    refused,
    cut: () => lines.clear(),
  };
}
