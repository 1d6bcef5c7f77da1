import type { Duplex } from 'node:stream';
import type { AccessEnd } from '../../domain/audit-event.ts';
import { pass } from '../../tunnel/pass.ts';
import type { OpenConnection } from '../access/open-connection.ts';

/**
 * Copies both ways with back-pressure until both directions have ended. The end of one is passed on alone; a reset of one
 * side resets the other. The outcome says who began.
 */
export function join(access: OpenConnection, target: Duplex): void {
  const { stream: client } = access.connection;
  const end = (how: AccessEnd) => {
    if (access.ended) return;
    access.stop = undefined;
    access.door.connections.giveBack(access.stream);
    access.finish(how);
  };
  access.stop = () => {
    end('failed');
    if (access.terminated === undefined) access.connection.reset();
    else access.connection.cut(access.terminated, access.intent);
    target.destroy();
  };
  client.on('data', (chunk: Buffer) => {
    access.bytesUp += chunk.length;
  });
  target.on('data', (chunk: Buffer) => {
    access.bytesDown += chunk.length;
  });
  target.on('error', ignore);
  client.on('close', () => {
    if (isWhole(client)) return;
    end('client_closed');
    target.destroy();
  });
  target.on('close', () => {
    if (isWhole(target)) return;
    end('target_closed');
    access.connection.reset();
  });
  const ended = () => {
    if (client.readableEnded && target.readableEnded) end('completed');
  };
  client.on('end', ended);
  target.on('end', ended);
  pass(client, target);
  pass(target, client);
  if (client.destroyed || target.destroyed) access.stop();
}

/** Closed with both directions ended in order. */
function isWhole(stream: Duplex): boolean {
  return stream.readableEnded && stream.writableFinished;
}

function ignore(): void {}
