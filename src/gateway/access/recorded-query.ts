import { createHmac } from 'node:crypto';
import { MAX_RECORDED_PARAMETERS } from '../limits.ts';

/** A parameter without `=` is taken for a name only if it looks like one; otherwise it may be a secret. */
const BARE_NAME = /^[A-Za-z_-]{1,32}$/;

/**
 * The query as the log holds it: raw names in their order; raw values only of `recorded` parameters, of others
 * `name=~` and a keyed hash of 64 bits, so that equal values can be found without being readable.
 */
export function recordedQuery(
  query: string | undefined,
  recorded: readonly string[],
  key: Uint8Array,
): string | undefined {
  if (query === undefined) return undefined;
  const parameters = query.split('&');
  const parts: string[] = [];
  for (const [at, parameter] of parameters.entries()) {
    if (at === MAX_RECORDED_PARAMETERS) {
      parts.push(`~${keyedHash(key, '', parameters.slice(at).join('&'))}`);
      break;
    }
    const equals = parameter.indexOf('=');
    const name = equals === -1 ? parameter : parameter.slice(0, equals);
    if (parameter === '' || (recorded.length > 0 && recorded.includes(decoded(name)))) parts.push(parameter);
    else if (equals !== -1) parts.push(`${name}=~${keyedHash(key, name, parameter.slice(equals + 1))}`);
    else parts.push(BARE_NAME.test(name) ? name : `~${keyedHash(key, '', name)}`);
  }
  return parts.join('&');
}

function keyedHash(key: Uint8Array, name: string, value: string): string {
  return createHmac('sha256', key).update(`${name}\0${value}`).digest('hex').slice(0, 16);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
