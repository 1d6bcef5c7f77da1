import type { Socket } from 'node:net';
import { type ErrorCode, PosternError } from '../../lib/errors.ts';
import { carry } from '../connect/carry.ts';
import { StreamRefusedError } from '../tunnel/refusal.ts';
import type { ProxyPort } from './port.ts';
import { SOCKS_REPLY, Socks5, type SocksReply, socksAnswer } from './socks5.ts';

interface Request {
  readonly host: string;
  readonly port: number;
}

/** One SOCKS5 connection, from its first byte. `asked` is called when the request is there. */
export async function serveSocks(socket: Socket, port: ProxyPort, asked: () => void): Promise<void> {
  const request = await handshake(socket);
  if (!request) return;
  asked();
  await carry(socket, {
    open: (gone) => port.open(request.host, request.port, gone),
    opened: () => void socket.write(socksAnswer(SOCKS_REPLY.succeeded)),
    failed: (error) => port.failed(request.host, error),
    refused: (error) => void socket.end(socksAnswer(replyFor(error))).resume(),
  });
}

/** undefined when it was refused or broke off, and the socket ends; else the socket is paused. */
function handshake(socket: Socket): Promise<Request | undefined> {
  const engine = new Socks5();
  return new Promise((resolve) => {
    const settle = (request: Request | undefined) => {
      socket.off('data', take).off('end', cut).off('close', cut);
      resolve(request);
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
