import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../e2e/free-port.ts';
import { startServer } from './server-program.ts';

const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server';
const EPMD = '/usr/bin/epmd';
export const RABBITMQ_FILES = [RABBITMQ, EPMD];

export interface RabbitMq extends AsyncDisposable {
  /** Of the management plugin's API and page. */
  readonly target: string;
}

/** Debian's RabbitMQ with its management plugin, as the user who runs the tests. */
export async function startRabbitMq(): Promise<RabbitMq> {
  await using undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-rabbitmq-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const [names, distribution, amqp, management] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const file = (name: string, content: string): string => {
    writeFileSync(join(directory, name), content);
    return join(directory, name);
  };
  const env = {
    // The cookie of Erlang's distribution is made there.
    HOME: directory,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(names),
    RABBITMQ_NODENAME: 'story@localhost',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(directory, 'data'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_PID_FILE: join(directory, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(directory, 'no-further-environment'),
    RABBITMQ_ENABLED_PLUGINS_FILE: file('plugins', '[rabbitmq_management].\n'),
    RABBITMQ_CONFIG_FILE: file(
      'rabbitmq.conf',
      `listeners.tcp.1 = 127.0.0.1:${amqp}\nmanagement.tcp.ip = 127.0.0.1\nmanagement.tcp.port = ${management}\n`,
    ),
  };
  // Ours: the one that RabbitMQ would start outlives it.
  undo.use(await startServer(EPMD, ['-port', String(names)], names, env));
  undo.use(await startServer(RABBITMQ, [], management, env));
  const held = undo.move();
  return { target: `http://127.0.0.1:${management}`, [Symbol.asyncDispose]: () => held.disposeAsync() };
}
