import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Cluster, temporaryDirectory } from '../store/databases.ts';

/** What happens to a commit to the audit log on its way. */
export type Cut = 'before it arrives' | 'as it leaves' | 'when it was answered';

/** The network between a relay and its database. */
export interface Wire extends AsyncDisposable {
  /** The same database by way of this wire. */
  through(url: string): string;
  /** Everything the database says comes so much later. */
  delayMs: number;
  /** The next commit is cut off, and this is done with it. */
  cutNext(how: Cut): void;
  /** Commits cut off so far. */
  readonly cuts: number;
}

const SOCKET = '.s.PGSQL.5432';
/** Name of the prepared statement that commits a batch. */
const COMMIT = 'audit_commit';

export async function startWire(cluster: Cluster): Promise<Wire> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory());
  const sockets = new Set<Socket>();
  let next: Cut | undefined;
  const wire = { delayMs: 0, cuts: 0 };

  const server = createServer((near) => {
    const far = connect(join(cluster.directory, SOCKET));
    let swallow = false;
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    near.on('data', (bytes: Buffer) => {
      if (next === undefined || !bytes.includes(COMMIT)) return void far.write(bytes);
      const how = next;
      next = undefined;
      wire.cuts += 1;
      if (how === 'before it arrives') return end();
      far.write(bytes);
      if (how === 'when it was answered') swallow = true;
      // The commit is on its way, the connection is not: whatever the server does with it nobody will hear.
      else far.end(() => near.destroy());
    });
    far.on('data', (bytes: Buffer) => {
      if (swallow) return end();
      if (wire.delayMs === 0) near.write(bytes);
      else setTimeout(() => near.destroyed || near.write(bytes), wire.delayMs);
    });
  });
  server.listen(join(directory.path, SOCKET));
  await once(server, 'listening');
  undo.defer(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  });

  const held = undo.move();
  return Object.assign(wire, {
    through: (url: string) => url.replace(encodeURIComponent(cluster.directory), encodeURIComponent(directory.path)),
    cutNext: (how: Cut) => {
      next = how;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  });
}
