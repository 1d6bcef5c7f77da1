import { InvalidArgumentError } from 'commander';

/** Of a lease or of the token of a service, as lists show it. */
export function parseId(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('An id looks like 01a1f952-98ba-7000-a964-b433e292306d.');
}
