import { isService, type Principal } from '../domain/principal.ts';
import type { LocalGroup } from './rule.ts';

/**
 * Who a principal is in Casbin's words. Each subject carries its kind and the issuer that stands for it, so that a
 * person named like a group is not that group, and a group of one provider is not the group of another. An issuer is a
 * URL and holds no space.
 */
export interface Subject {
  /** Equal for principals with equal facts, whoever they are. */
  readonly key: string;
  readonly subjects: ReadonlySet<string>;
}

/** Everyone, signed in or not. */
export const ANYONE = 'anyone';

/** A subject of a rule, as written, in Casbin's words. */
export function qualify(written: string, issuer: string): string {
  if (written === ANYONE) return ANYONE;
  if (written === 'anyone-signed-in') return `anyone:${issuer}`;
  const colon = written.indexOf(':');
  const kind = written.slice(0, colon);
  const name = written.slice(colon + 1);
  // Local groups and services are ours: the members of groups are qualified instead.
  return kind === 'group' || kind === 'service' ? written : `${kind}:${issuer} ${name}`;
}

/** Everything a decision reads of a principal. */
export function factsKey(principal: Principal): string {
  return JSON.stringify([
    principal.kind === 'anonymous',
    isService(principal) ? principal.subject : null,
    principal.issuer,
    principal.boundEmail ?? null,
    principal.groups,
  ]);
}

/** For each qualified member, the local groups that contain it. */
export function groupsByMember(groups: readonly LocalGroup[], issuer: string): ReadonlyMap<string, readonly string[]> {
  const byMember = new Map<string, string[]>();
  for (const { name, members } of groups)
    for (const member of members) {
      const qualified = qualify(member, issuer);
      const containing = byMember.get(qualified) ?? [];
      containing.push(`group:${name}`);
      byMember.set(qualified, containing);
    }
  return byMember;
}

/** Of services their name and the local groups that list them: `anyone-signed-in` means people. */
export function subjectsOf(
  principal: Principal,
  byMember: ReadonlyMap<string, readonly string[]>,
): ReadonlySet<string> {
  if (principal.kind === 'anonymous') return new Set([ANYONE]);
  const own = isService(principal) ? [principal.subject] : ownSubjects(principal);
  const subjects = new Set([ANYONE, ...own]);
  for (const each of own) for (const group of byMember.get(each) ?? []) subjects.add(group);
  return subjects;
}

function ownSubjects({ issuer, boundEmail, groups }: Principal): string[] {
  return [
    `anyone:${issuer}`,
    ...groups.map((group) => `provider:${issuer} ${group}`),
    ...(boundEmail === undefined ? [] : [`person:${issuer} ${boundEmail.toLowerCase()}`]),
  ];
}
