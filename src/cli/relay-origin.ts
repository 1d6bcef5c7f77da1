import { InvalidArgumentError } from 'commander';
import { isLoopbackName } from '../config/values.ts';

/** The origin of a relay as a person types it: with or without a scheme, with or without a trailing slash. */
export function parseRelayOrigin(text: string): string {
  const plain = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${isLocal(text) ? 'http' : 'https'}://${text}`;
  let url: URL;
  try {
    url = new URL(plain);
  } catch {
    throw new InvalidArgumentError('Write it like https://access.example.com');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw new InvalidArgumentError('The address of a relay begins with https:// (or http:// on this machine).');
  // The token would be anybody's on the way.
  if (url.protocol === 'http:' && !isLoopbackName(url.hostname))
    throw new InvalidArgumentError('The address of a relay begins with https:// (or http:// on this machine).');
  if (url.username || url.password) throw new InvalidArgumentError('The address of a relay holds no user or password.');
  return url.origin;
}

function isLocal(text: string): boolean {
  return /^([^/:]+\.)?localhost([:/]|$)|^127\.0\.0\.1([:/]|$)|^\[::1\]/i.test(text);
}
