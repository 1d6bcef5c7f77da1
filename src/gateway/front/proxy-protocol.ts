import { plainAddress } from '../../lib/networks.ts';

/** Longest header of version 1 (107 bytes with its line end, as the specification says). */
const MAX_V1_BYTES = 107;
/** Longest header of version 2: 16 bytes, addresses, and what extensions (TLVs) a proxy may add; more is refused. */
const MAX_V2_BYTES = 2_048;

const SIGNATURE_V2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const SIGNATURE_V1 = Buffer.from('PROXY ');

/** `client` is undefined when the proxy speaks for itself (health checks: LOCAL, UNKNOWN). `length`: bytes of the header. */
export type ProxyHeader =
  | { readonly kind: 'header'; readonly client: string | undefined; readonly length: number }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'invalid' };

const INCOMPLETE: ProxyHeader = { kind: 'incomplete' };
const INVALID: ProxyHeader = { kind: 'invalid' };

/** Reads the header of the PROXY protocol, version 1 or 2 (haproxy.org, proxy-protocol.txt), from the first bytes of a connection. */
export function readProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, SIGNATURE_V2)) return bytes.length < 16 ? INCOMPLETE : readV2(bytes);
  if (startsLike(bytes, SIGNATURE_V1)) return readV1(bytes);
  return INVALID;
}

/** Equal as far as both go: a header may arrive in any cut. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function readV1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\r\n');
  if (end === -1) return bytes.length >= MAX_V1_BYTES ? INVALID : INCOMPLETE;
  const length = end + 2;
  const line = bytes.toString('latin1', 0, end);
  if (/^PROXY UNKNOWN(?: [\x20-\x7e]*)?$/.test(line)) return { kind: 'header', client: undefined, length };
  const [, family, source = '', destination = '', from = '', to = ''] =
    /^PROXY TCP([46]) ([0-9a-fA-F.:]+) ([0-9a-fA-F.:]+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? [];
  if (family === undefined || ![from, to].every(isPort)) return INVALID;
  if (![source, destination].every((address) => address.includes(':') === (family === '6'))) return INVALID;
  const client = plainAddress(source);
  return client === undefined || plainAddress(destination) === undefined ? INVALID : { kind: 'header', client, length };
}

function isPort(text: string): boolean {
  return Number(text) <= 65_535 && String(Number(text)) === text;
}

function readV2(bytes: Buffer): ProxyHeader {
  const [version, command] = [bytes.readUInt8(12) >> 4, bytes.readUInt8(12) & 15];
  const [family, transport] = [bytes.readUInt8(13) >> 4, bytes.readUInt8(13) & 15];
  const length = 16 + bytes.readUInt16BE(14);
  if (version !== 2 || command > 1 || family > 3 || transport > 2 || length > MAX_V2_BYTES) return INVALID;
  if (bytes.length < length) return INCOMPLETE;
  if (command === 0) return { kind: 'header', client: undefined, length };
  const client = addressOf(bytes.subarray(16, length), family);
  return transport === 1 && client !== undefined ? { kind: 'header', client, length } : INVALID;
}

function addressOf(body: Buffer, family: number): string | undefined {
  if (family === 1 && body.length >= 12) return [...body.subarray(0, 4)].join('.');
  if (family !== 2 || body.length < 36) return undefined;
  const groups = Array.from({ length: 8 }, (_, at) => body.readUInt16BE(at * 2).toString(16));
  return plainAddress(groups.join(':'));
}
