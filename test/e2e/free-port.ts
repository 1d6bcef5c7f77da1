import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below those that Linux gives to outgoing connections (ip_local_port_range), so that none of them takes it meanwhile. */
const [FIRST, LAST] = [12_000, 32_000];
const MAX_TRIES = 50;

/** A port of loopback that nobody listens at, for what must know its port before it starts. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < MAX_TRIES; tried += 1) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`None of ${MAX_TRIES} ports between ${FIRST} and ${LAST} is free.`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
