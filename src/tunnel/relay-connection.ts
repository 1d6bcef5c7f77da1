import { request as httpRequest } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { messageOf, PosternError } from '../lib/errors.ts';
import type { HttpProxy } from '../lib/http-proxy.ts';
import { lookupWithLocalhost } from '../lib/localhost.ts';
import { connectReusing } from './read-memory.ts';

const CONNECT_TIMEOUT_MS = 10_000;

/** What is done on the way to the relay, in this order. `proxy` only where one is configured. */
export type ConnectionStep = 'name' | 'tcp' | 'proxy' | 'tls';

/** The relay was not reached. `step` failed; the message says in words what is wrong and what to do. */
export class ConnectionError extends PosternError {
  readonly step: ConnectionStep;
  constructor(step: ConnectionStep, message: string, cause?: unknown) {
    super('relay_unreachable', message, { cause });
    this.step = step;
  }
}

export interface Way {
  /** `http:`, `https:`, `ws:` or `wss:`. */
  readonly url: URL;
  readonly proxy?: HttpProxy | undefined;
  readonly signal: AbortSignal;
  /** Told of each step that went well, with what was found. */
  readonly passed?: (step: ConnectionStep, found: string) => void;
}

/** A connection on which HTTP can be spoken with the relay: through the proxy if there is one, TLS done if the URL asks for it. */
export async function connectToRelay({ url, proxy, signal, passed = () => {} }: Way): Promise<Socket> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  const first = proxy ? new URL(proxy.origin) : url;
  let socket = await dialFirst(first, limit, passed);
  try {
    if (proxy) {
      if (isSecure(first)) socket = await secured(socket, first, limit);
      passed('proxy', await askProxy(socket, url, proxy, limit));
    }
    if (isSecure(url)) {
      const tls = await secured(socket, url, limit);
      passed('tls', `${tls.getProtocol() ?? 'TLS'}, with a certificate for ${hostOf(url)} that this machine trusts`);
      socket = tls;
    }
    return socket.on('error', ignore);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function dialFirst(url: URL, signal: AbortSignal, passed: NonNullable<Way['passed']>): Promise<Socket> {
  const host = hostOf(url);
  const port = portOf(url);
  return settled<Socket>(signal, 'tcp', `${host}:${port} does not answer`, (done, fail) => {
    const socket = connectReusing({ host, port, lookup: lookupWithLocalhost, noDelay: true, keepAlive: true });
    socket.once('lookup', (_error, address) => {
      if (address) passed('name', `${host} is ${address}`);
    });
    socket.once('connect', () => {
      passed('tcp', `${socket.remoteAddress}:${port} takes connections`);
      done(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => fail(dialError(error, host, port)));
    return socket;
  });
}

function dialError(error: NodeJS.ErrnoException, host: string, port: number): ConnectionError {
  switch (error.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConnectionError(
        'name',
        `The name ${host} cannot be resolved (${error.code}). Is it spelled right, and does this machine have DNS?`,
        error,
      );
    case 'ECONNREFUSED':
      return new ConnectionError(
        'tcp',
        `Nothing listens at ${host}:${port}. Is it running, and is the port right?`,
        error,
      );
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
      return new ConnectionError(
        'tcp',
        `There is no way to ${host}:${port} (${error.code}). Is this machine connected?`,
        error,
      );
    case 'ETIMEDOUT':
      return new ConnectionError('tcp', `${host}:${port} does not answer. Does a firewall stop it?`, error);
    case undefined:
    default:
      return new ConnectionError(
        'tcp',
        `${host}:${port} cannot be reached (${error.code ?? messageOf(error)}).`,
        error,
      );
  }
}

/** CONNECT (RFC 9110 §9.3.6) with Basic credentials. Resolves to what was found. */
function askProxy(socket: Socket, url: URL, proxy: HttpProxy, signal: AbortSignal): Promise<string> {
  const target = `${url.hostname}:${portOf(url)}`;
  const { user, password } = proxy;
  const credentials = Buffer.from(`${user ?? ''}:${password?.reveal() ?? ''}`).toString('base64');
  return settled<string>(signal, 'proxy', `The proxy ${proxy.origin} does not answer`, (done, fail) => {
    const asking = httpRequest({
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...(user === undefined ? {} : { 'proxy-authorization': `Basic ${credentials}` }) },
      createConnection: () => socket,
    });
    asking.once('connect', (answer, _socket, head: Buffer) => {
      const { statusCode = 0, statusMessage = '' } = answer;
      if (statusCode < 200 || statusCode > 299) return fail(proxyRefusal(statusCode, statusMessage, proxy, target));
      if (head.length > 0) socket.unshift(head);
      done(`${proxy.origin} leads to ${target}`);
    });
    asking.once('error', (error: NodeJS.ErrnoException) => {
      const spoke = error.code?.startsWith('HPE_') ?? false;
      const what = spoke ? 'does not answer like an HTTP proxy. Is the address right?' : 'closed the connection.';
      fail(new ConnectionError('proxy', `The proxy ${proxy.origin} ${what}`, error));
    });
    asking.end();
    return socket;
  });
}

function proxyRefusal(status: number, reason: string, proxy: HttpProxy, target: string): ConnectionError {
  if (status === 407) {
    const what =
      proxy.user === undefined
        ? 'wants a user and a password: an agent takes them from proxy.url and proxy.passwordFile, a command line from HTTPS_PROXY'
        : `does not take the user ${proxy.user} with this password`;
    return new ConnectionError('proxy', `The proxy ${proxy.origin} ${what}.`);
  }
  const said = `${status} ${reason}`.replace(/[^\x20-\x7e]/g, '').slice(0, 100);
  return new ConnectionError(
    'proxy',
    `The proxy ${proxy.origin} does not lead to ${target} ("${said}"). Ask whoever runs it to allow that.`,
  );
}

function secured(socket: Socket, url: URL, signal: AbortSignal): Promise<TLSSocket> {
  const host = hostOf(url);
  return settled<TLSSocket>(signal, 'tls', `${host} does not answer the TLS handshake`, (done, fail) => {
    const tls = connectTls({ socket, ...(isIP(host) ? { host } : { servername: host }), ALPNProtocols: ['http/1.1'] });
    tls.once('secureConnect', () => done(tls));
    tls.once('error', (error: NodeJS.ErrnoException) => fail(tlsError(error, host)));
    return tls;
  });
}

function tlsError(error: NodeJS.ErrnoException, host: string): ConnectionError {
  const say = (what: string) => new ConnectionError('tls', what, error);
  switch (error.code) {
    case 'CERT_HAS_EXPIRED':
      return say(
        `The certificate of ${host} has expired. Renew it there; if it is fresh, this machine's clock is wrong.`,
      );
    case 'CERT_NOT_YET_VALID':
      return say(`The certificate of ${host} is not valid yet. Set this machine's clock right.`);
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return say(
        `${host} shows a certificate for another name. Is the address right, or does something stand between?`,
      );
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return say(
        `This machine does not trust who issued the certificate of ${host} (${error.code}). If it is your own authority, or your company looks into TLS, name its certificate in NODE_EXTRA_CA_CERTS.`,
      );
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'EPROTO':
      return say(`${host} does not speak TLS there. Is the port right, or should the address begin with http://?`);
    case 'ECONNRESET':
      return say(`${host} broke the TLS handshake off. A firewall that does not like the name does that.`);
    case undefined:
    default:
      return say(`TLS with ${host} failed: ${messageOf(error)}.`);
  }
}

/** Runs one step; destroys its socket when the step fails, the signal aborts or time is up. */
function settled<T extends Socket | string>(
  signal: AbortSignal,
  step: ConnectionStep,
  late: string,
  begin: (done: (value: T) => void, fail: (error: Error) => void) => Socket,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let socket: Socket | undefined;
    const finish = () => signal.removeEventListener('abort', stop);
    const fail = (error: Error) => {
      finish();
      socket?.on('error', ignore).destroy();
      reject(error);
    };
    const stop = () => {
      const timedOut = signal.reason instanceof Error && signal.reason.name === 'TimeoutError';
      fail(
        timedOut
          ? new ConnectionError(step, `${late}. Does a firewall stop it?`)
          : new PosternError('aborted', 'Connecting was stopped.'),
      );
    };
    const done = (value: T) => {
      finish();
      socket?.on('error', ignore);
      resolve(value);
    };
    signal.addEventListener('abort', stop, { once: true });
    socket = begin(done, fail);
    if (signal.aborted) stop();
  });
}

function isSecure(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'wss:';
}

function portOf(url: URL): number {
  return url.port === '' ? (isSecure(url) ? 443 : 80) : Number(url.port);
}

/** IPv6 without its brackets, as sockets want it. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

function ignore(): void {}
