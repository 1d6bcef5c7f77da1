/** Without a body these say so (RFC 9110 §8.6). */
const CALLS_FOR_LENGTH = new Set(['POST', 'PUT', 'PATCH']);
/** Anything else in a value could end its line. */
const NO_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NO_NAME = /[^!#$%&'*+.^_`|~0-9A-Za-z-]/;
const NO_TARGET = /[^\x21-\x7e\x80-\xff]/;

/** Names repeat: those that were looked at are remembered, bounded in number and length. */
const names = new Set<string>();
const MAX_NAMES = 1_024;
const MAX_NAME_LENGTH = 64;

export interface RequestLine {
  readonly method: string;
  /** The request target as it was received, which policy and record have read (RFC 9112 §3.2.1). */
  readonly target: string;
  /** Value of Upgrade on a request to switch protocols. */
  readonly upgrade: string | undefined;
  readonly body: 'none' | 'length' | 'chunked';
}

/** Head of a request, one Latin-1 character a byte. `fields`: flat name-value list, with the Content-Length of a body that has one. */
export function encodeRequestHead({ method, target, upgrade, body }: RequestLine, fields: readonly string[]): string {
  if (NO_NAME.test(method) || NO_TARGET.test(target)) throw new RangeError('A request line cannot be written.');
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    if (!isName(name) || NO_VALUE.test(value)) throw new RangeError(`The field ${name} cannot be written.`);
    head += `${name}: ${value}\r\n`;
  }
  if (body === 'chunked') head += 'Transfer-Encoding: chunked\r\n';
  else if (body === 'none' && CALLS_FOR_LENGTH.has(method)) head += 'Content-Length: 0\r\n';
  return upgrade === undefined
    ? `${head}Connection: keep-alive\r\n\r\n`
    : `${head}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n\r\n`;
}

function isName(name: string): boolean {
  if (names.has(name)) return true;
  if (name === '' || NO_NAME.test(name)) return false;
  if (names.size < MAX_NAMES && name.length <= MAX_NAME_LENGTH) names.add(name);
  return true;
}
