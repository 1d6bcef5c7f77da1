import { once } from 'node:events';
import type { Server } from 'node:net';
import type { HostPort } from '../config/values.ts';
import { PosternError } from '../lib/errors.ts';

/** Listens, or rejects with `config_invalid` that says what to do. `setting` is where the address stands. */
export async function openPort(server: Server, { host, port }: HostPort, setting: string): Promise<void> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const why =
      code === 'EADDRINUSE'
        ? `Port ${port} on ${host} is taken by another program. Stop it, or change ${setting}.`
        : code === 'EACCES'
          ? `This user may not listen on port ${port}. Allow it (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE), or change ${setting}.`
          : `The relay cannot listen on ${host}:${port}. Check ${setting}.`;
    throw new PosternError('config_invalid', why, { cause });
  }
}
