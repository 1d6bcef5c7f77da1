import { plainText } from './address.ts';
import { MAX_PORT } from './ports.ts';

/** Where somebody wants to be connected. */
export interface Endpoint {
  /** Lower-case name, or an address in its usual text (RFC 5952) without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Underscores are no host names (RFC 1123), but internal names have them. */
const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** What resolvers read as a number, and so as an address: 2130706433, 0x7f.1, 127.1. */
const NUMBER = /^(\d+|0x[0-9a-f]*)$/;

/** `name:22`, `10.0.0.1:22`, `[fd00::1]:22`. Undefined for what has no reading, or more than one. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, six, plain, digits] = /^(?:\[([^\][]+)\]|([^:[\]]+)):([1-9]\d{0,4})$/.exec(text) ?? [];
  const host = six === undefined ? parseHost(plain ?? '') : plainText(six);
  const port = Number(digits);
  return host === undefined || !(port <= MAX_PORT) ? undefined : { host, port };
}

/** A name or an address without brackets, in the form that `Endpoint` has. */
export function parseHost(text: string): string | undefined {
  return plainText(text) ?? parseName(text);
}

export function parseName(text: string): string | undefined {
  const name = text.toLowerCase();
  const labels = name.split('.');
  const isName = name.length <= 253 && labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1) ?? '');
  return isName ? name : undefined;
}

export function endpointText({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
