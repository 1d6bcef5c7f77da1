import type { Principal, Role, RoleMembers } from '../domain/principal.ts';

/** Issuer of those who hold the relay's machine; no provider can be called so, since issuers are URLs. */
export const LOCAL_ISSUER = 'urn:postern:local';

/** Evaluated per request: a person who lost the group lost the role. */
export function rolesOf(roles: Readonly<Partial<Record<Role, RoleMembers>>>, principal: Principal): Role[] {
  if (principal.kind === 'service' && principal.issuer === LOCAL_ISSUER) return ['admin'];
  return ALL.filter((role) => {
    const members = roles[role];
    if (!members) return false;
    const email = principal.boundEmail;
    return (
      principal.groups.some((group) => members.groups.includes(group)) ||
      (email !== undefined && members.people.some((person) => person.toLowerCase() === email))
    );
  });
}

const ALL: readonly Role[] = ['admin', 'security', 'auditor'];
