import { isIP } from 'node:net';

/** RFC 1928 §6. */
export const SOCKS_REPLY = {
  succeeded: 0x00,
  failed: 0x01,
  notAllowed: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  connectionRefused: 0x05,
  expired: 0x06,
  commandNotSupported: 0x07,
  addressNotSupported: 0x08,
} as const;

export type SocksReply = (typeof SOCKS_REPLY)[keyof typeof SOCKS_REPLY];

export type SocksStep =
  | { readonly kind: 'more' }
  /** The method is chosen: send this, and go on. */
  | { readonly kind: 'greeted'; readonly answer: Buffer }
  /** `rest` came after the request and is for the target. An IPv6 address has no brackets. */
  | { readonly kind: 'connect'; readonly host: string; readonly port: number; readonly rest: Buffer }
  /** Send this (nothing to who does not speak SOCKS5), and end. */
  | { readonly kind: 'refused'; readonly answer: Buffer };

const VERSION = 5;
const NO_AUTHENTICATION = 0;
const NOTHING_ACCEPTABLE = 0xff;
const CONNECT = 1;
const IPV4 = 1;
const NAME = 3;
const IPV6 = 4;
/** Letters, digits, hyphen and underscore between dots, as in DNS and on internal networks. */
const HOST_NAME = /^(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?$/i;
const MORE: SocksStep = { kind: 'more' };

/** The server's half of a SOCKS5 handshake (RFC 1928): no authentication, CONNECT only. Takes bytes in any cut. */
export class Socks5 {
  #waiting: Buffer = Buffer.alloc(0);
  #greeted = false;

  /** Call `next` after it until that says `more`, `connect` or `refused`. */
  add(chunk: Buffer): void {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
  }

  next(): SocksStep {
    const [version] = this.#waiting;
    if (version === undefined) return MORE;
    if (version !== VERSION) return { kind: 'refused', answer: Buffer.alloc(0) };
    return this.#greeted ? this.#request() : this.#greeting();
  }

  #greeting(): SocksStep {
    const methods = this.#waiting[1];
    if (methods === undefined || this.#waiting.length < 2 + methods) return MORE;
    if (!this.#waiting.subarray(2, 2 + methods).includes(NO_AUTHENTICATION))
      return { kind: 'refused', answer: Buffer.from([VERSION, NOTHING_ACCEPTABLE]) };
    this.#waiting = this.#waiting.subarray(2 + methods);
    this.#greeted = true;
    return { kind: 'greeted', answer: Buffer.from([VERSION, NO_AUTHENTICATION]) };
  }

  #request(): SocksStep {
    const bytes = this.#waiting;
    const [, command, , type, first] = bytes;
    if (command === undefined) return MORE;
    if (command !== CONNECT) return refused(SOCKS_REPLY.commandNotSupported);
    if (type === undefined) return MORE;
    if (type !== IPV4 && type !== NAME && type !== IPV6) return refused(SOCKS_REPLY.addressNotSupported);
    if (first === undefined) return MORE;
    const begin = type === NAME ? 5 : 4;
    const end = begin + (type === IPV4 ? 4 : type === IPV6 ? 16 : first);
    if (bytes.length < end + 2) return MORE;
    const host = hostFrom(type, bytes.subarray(begin, end));
    const port = bytes.readUInt16BE(end);
    if (host === undefined || port === 0) return refused(SOCKS_REPLY.failed);
    return { kind: 'connect', host, port, rest: bytes.subarray(end + 2) };
  }
}

/** The answer to a request. Where we dial from is nobody's business: the bound address is 0.0.0.0:0. */
export function socksAnswer(reply: SocksReply): Buffer {
  return Buffer.from([VERSION, reply, 0, IPV4, 0, 0, 0, 0, 0, 0]);
}

export function isHost(text: string): boolean {
  return isIP(text) !== 0 || HOST_NAME.test(text);
}

function refused(reply: SocksReply): SocksStep {
  return { kind: 'refused', answer: socksAnswer(reply) };
}

function hostFrom(type: typeof IPV4 | typeof NAME | typeof IPV6, bytes: Buffer): string | undefined {
  if (type === IPV4) return bytes.join('.');
  if (type === IPV6) return new URL(`http://[${groups(bytes)}]`).hostname.slice(1, -1);
  const name = bytes.toString('latin1');
  return isHost(name) ? name : undefined;
}

function groups(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':');
}
