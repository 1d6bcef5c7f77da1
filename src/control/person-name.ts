import type { Static } from 'typebox';
import type { Principal } from '../domain/principal.ts';
import type { PersonName } from './contract/parts.ts';

/** Whose it is, in lists. */
export function personName({ id, name, email }: Principal): Static<typeof PersonName> {
  return { id, name: name ?? null, email: email ?? null };
}
