import type { Socket } from 'node:net';
import { type ErrorCode, PosternError } from '../../lib/errors.ts';
import { carry } from '../connect/carry.ts';
import { StreamRefusedError } from '../tunnel/refusal.ts';
import type { ProxyPort } from './port.ts';
import { SOCKS_REPLY, Socks5, type SocksReply, socksAnswer } from './socks5.ts';

const HANDSHAKE_MS = 10_000;

interface Asked {
  readonly host: string;
  readonly port: number;
}

/** One SOCKS5 connection, from its first byte. */
export async function serveSocks(socket: Socket, port: ProxyPort): Promise<void> {
  const asked = await handshake(socket);
  if (!asked) return;
  await carry(socket, {
    open: (gone) => port.open(asked.host, asked.port, gone),
    opened: () => void socket.write(socksAnswer(SOCKS_REPLY.succeeded)),
    failed: (error) => port.failed(asked.host, error),
    refused: (error) => void socket.end(socksAnswer(replyFor(error))).resume(),
  });
}

/** undefined when it was refused, broke off, or took too long; the socket is ended then, else paused. */
function handshake(socket: Socket): Promise<Asked | undefined> {
  const engine = new Socks5();
  return new Promise((resolve) => {
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    const settle = (asked: Asked | undefined) => {
      clearTimeout(timer);
      socket.off('data', take).off('end', cut).off('close', cut);
      resolve(asked);
    };
    const cut = () => {
      settle(undefined);
      socket.destroy();
    };
    const take = (chunk: Buffer) => {
      engine.add(chunk);
      for (let step = engine.next(); step.kind !== 'more'; step = engine.next()) {
        if (step.kind === 'greeted') {
          socket.write(step.answer);
        } else if (step.kind === 'refused') {
          settle(undefined);
          return void socket.end(step.answer).resume();
        } else {
          settle(step);
          socket.pause();
          if (step.rest.length > 0) socket.unshift(step.rest);
          return;
        }
      }
    };
    socket.on('data', take).on('end', cut).on('close', cut);
    socket.resume();
  });
}

function replyFor(error: unknown): SocksReply {
  if (error instanceof StreamRefusedError && error.refusal === 'dial_refused') return SOCKS_REPLY.connectionRefused;
  return (error instanceof PosternError ? REPLIES[error.code] : undefined) ?? SOCKS_REPLY.failed;
}

const REPLIES: Readonly<Partial<Record<ErrorCode, SocksReply>>> = {
  forbidden: SOCKS_REPLY.notAllowed,
  unauthenticated: SOCKS_REPLY.notAllowed,
  not_found: SOCKS_REPLY.hostUnreachable,
  relay_unreachable: SOCKS_REPLY.networkUnreachable,
  target_unreachable: SOCKS_REPLY.hostUnreachable,
  timeout: SOCKS_REPLY.hostUnreachable,
};
