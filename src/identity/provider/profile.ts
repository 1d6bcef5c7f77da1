import type { Profile } from '../../domain/stored/principal.ts';
import { PosternError } from '../../lib/errors.ts';

type Claims = Readonly<Record<string, unknown>>;

/** More groups than this, or longer names, are refused: to drop some could drop the one that a deny rule names. */
const MAX_GROUPS = 1_000;
const MAX_TEXT_LENGTH = 256;

/** True when the ID token does not hold all that the profile is made of, so that userinfo is worth asking. */
export function isIncomplete(idToken: Claims, groupsClaim: string): boolean {
  return ['email', 'name', groupsClaim].some((claim) => idToken[claim] === undefined);
}

/** Claims of the ID token first, then of userinfo. Rejects with `sign_in_refused` when groups cannot be taken as they are. */
export function profileOf(issuer: string, subject: string, sources: readonly Claims[], groupsClaim: string): Profile {
  const withEmail = sources.find((claims) => claims['email'] !== undefined);
  const withName = sources.find((claims) => typeof claims['name'] === 'string');
  const withGroups = sources.find((claims) => claims[groupsClaim] !== undefined);
  return {
    issuer,
    subject,
    // Both from one source: another's word that some address is verified says nothing about this one.
    email: withEmail && emailOf(withEmail),
    name: withName && textOf(withName['name']),
    groups: groupsOf(withGroups?.[groupsClaim], groupsClaim, sources),
  };
}

function emailOf(claims: Claims): string | undefined {
  const { email, email_verified: verified } = claims as { email?: unknown; email_verified?: unknown };
  if (verified !== true || typeof email !== 'string' || email.length > MAX_TEXT_LENGTH) return undefined;
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) return undefined;
  const lower = email.toLowerCase();
  // The Kelvin sign in lower case is k: such an address would become somebody else's.
  return countForeign(lower) === countForeign(email) ? lower : undefined;
}

function countForeign(text: string): number {
  return text.match(/[^\x00-\x7f]/g)?.length ?? 0;
}

function textOf(value: unknown): string | undefined {
  const text =
    typeof value === 'string'
      ? value
          .replace(/[\p{Cc}\p{Cf}]/gu, '')
          .trim()
          .slice(0, MAX_TEXT_LENGTH)
      : '';
  return text === '' ? undefined : text;
}

function groupsOf(value: unknown, groupsClaim: string, sources: readonly Claims[]): readonly string[] {
  if (value === undefined) {
    // Distributed claims (OpenID Connect Core §5.6.2): there are groups, only not here.
    if (sources.some((claims) => groupsClaim in Object(claims['_claim_names']))) {
      refuse('it sends a reference instead of the groups; too many, perhaps');
    }
    return [];
  }
  const groups: unknown[] =
    typeof value === 'string' ? [value] : Array.isArray(value) ? value : refuse('they are not a list');
  if (groups.length > MAX_GROUPS) refuse(`there are more than ${MAX_GROUPS}`);
  const names = groups.map((group) =>
    typeof group === 'string' && group !== '' && group.length <= MAX_TEXT_LENGTH ? group : refuse('one is not a name'),
  );
  return [...new Set(names)].toSorted();
}

function refuse(why: string): never {
  throw new PosternError(
    'sign_in_refused',
    `The provider's groups cannot be used: ${why}. Tell whoever runs this relay.`,
  );
}
