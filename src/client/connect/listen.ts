import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { messageOf, PosternError } from '../../lib/errors.ts';
import { endpointText } from '../../lib/network/endpoint.ts';
import { aborted } from '../../lib/wait.ts';
import { whenBound } from './bind.ts';
import type { ListenAt } from './listen-at.ts';
import { bindPath } from './socket-file.ts';

export type LocalPlace = Exclude<ListenAt, { kind: 'stdio' }>;

export interface LocalListener extends AsyncDisposable {
  /** `host:port` or the path. */
  readonly address: string;
  /** undefined for a path. */
  readonly port: number | undefined;
  /** Resolves when nobody is connected, and after this time at the latest. */
  untilUnused(limitMs: number): Promise<void>;
}

/** Connections at once; a tunnel carries about as many streams. Further ones are turned away. */
const MAX_CONNECTIONS = 1000;

/**
 * Takes connections of programs on this machine, paused and with half-close. Rejects with `request_invalid` when the
 * place is taken or not ours. Disposing ends what is open, too.
 */
export async function listen(at: LocalPlace, accept: (socket: Socket) => void): Promise<LocalListener> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // 'close' follows.
    socket.on('error', () => {});
    accept(socket);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await bind(server, at);
  return {
    ...boundTo(server),
    untilUnused: (limitMs) => untilEmpty(open, limitMs),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** What is being ended when the wait begins may end. */
async function untilEmpty(open: ReadonlySet<Socket>, limitMs: number): Promise<void> {
  const closed = [...open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  await Promise.race([Promise.all(closed), aborted(AbortSignal.timeout(limitMs))]);
}

async function bind(server: Server, at: LocalPlace): Promise<void> {
  try {
    if (at.kind === 'unix') await bindPath(server, at.path);
    else await whenBound(server, () => server.listen({ host: at.host, port: at.port }));
  } catch (cause) {
    if (cause instanceof PosternError) throw cause;
    throw new PosternError('request_invalid', sentence(cause as NodeJS.ErrnoException, at), { cause });
  }
}

function boundTo(server: Server): { address: string; port: number | undefined } {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return { address, port: undefined };
  return { address: endpointText({ host: address.address, port: address.port }), port: address.port };
}

function sentence(error: NodeJS.ErrnoException, at: LocalPlace): string {
  const where = at.kind === 'unix' ? at.path : endpointText(at);
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program on this machine. Choose another port, or 0 for a free one.`;
    case 'EACCES':
      return `This user may not listen at ${where}. Ports below 1024 are the system's.`;
    case 'EADDRNOTAVAIL':
      return `This machine does not have the address of ${where}.`;
    case 'EINVAL':
      return `${where} cannot be a socket: the path is too long for one, or not allowed.`;
    case undefined:
    default:
      return `Listening at ${where} failed: ${messageOf(error)}.`;
  }
}
