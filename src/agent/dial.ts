import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import { type AgentTarget, targetText } from '../config/agent-target.ts';
import { PosternError } from '../lib/errors.ts';
import { connectReusing } from '../tunnel/read-memory.ts';

const DIAL_TIMEOUT_MS = 10_000;

/** A connection to the target, the TLS handshake included. Rejects with `timeout`, `aborted` or `target_unreachable`. */
export function dial(target: AgentTarget, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = open(target);
    const where = targetText(target);
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
          cause.code === 'ENOTFOUND' || cause.code === 'EAI_AGAIN'
            ? `${where}: the name has no address here (${cause.code}).`
            : `${where} did not take the connection (${cause.code ?? cause.message}).`,
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
    socket.on(target.kind === 'tls' ? 'secureConnect' : 'connect', () => {
      settle();
      resolve(socket);
    });
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}

function open(target: AgentTarget): Socket {
  const halves = { allowHalfOpen: true } as const;
  if (target.kind === 'unix') return connectReusing({ path: target.path, ...halves });
  const address = { host: target.host, port: target.port, noDelay: true, keepAlive: true } as const;
  if (target.kind === 'tcp') return connectReusing({ ...address, ...halves });
  const { serverName, ca, verify } = target;
  return connectTls({
    ...address,
    ...halves,
    // RFC 6066 §3: no addresses in SNI. The certificate is held to the name all the same.
    servername: isIP(serverName) === 0 ? serverName : '',
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: verify,
    checkServerIdentity: (_asked, certificate) => checkServerIdentity(serverName, certificate),
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
  });
}
