import { connect, type Socket } from 'node:net';
import { hasCode, PosternError } from '../lib/errors.ts';
import type { Target } from './config.ts';

export const DIAL_TIMEOUT_MS = 10_000;

/** A connection to the target. Rejects with `timeout`, `aborted` or `target_unreachable`. */
export function dial(target: Target, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: target.host,
      port: target.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
    });
    const where = `${target.host}:${target.port}`;
    const fail = (error: PosternError) => {
      settle();
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(
      () => fail(new PosternError('timeout', `${where} did not answer within ${DIAL_TIMEOUT_MS / 1000} s.`)),
      DIAL_TIMEOUT_MS,
    );
    const stop = () => fail(new PosternError('aborted', `Dialling ${where} was stopped.`));
    const refuse = (cause: NodeJS.ErrnoException) =>
      fail(
        new PosternError(
          'target_unreachable',
          `${where} did not take the connection (${cause.code ?? cause.message}).`,
          { cause },
        ),
      );
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.off('error', refuse);
      // Between here and the copying an error must not end the process; 'close' still tells.
      socket.on('error', () => {});
    };
    socket.on('error', refuse);
    socket.on('connect', () => {
      settle();
      resolve(socket);
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

export function isDialTimeout(error: unknown): boolean {
  return hasCode(error, 'timeout');
}
