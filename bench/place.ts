import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary directory, removed on disposal. */
export async function temporaryDirectory(stack: AsyncDisposableStack, name: string): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), `postern-bench-${name}-`));
  stack.defer(() => rm(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** A loopback port that was free a moment ago, for programs that cannot say which one they took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a TCP address.');
  return address.port;
}
