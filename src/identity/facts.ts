import type { Principal } from '../domain/principal.ts';

/** How this principal signs in. */
export function methodOf({ kind }: Principal): 'oidc' | 'local' {
  return kind === 'service' ? 'local' : 'oidc';
}

/** What decisions about a session use, as it is stored for re-deciding them. Keys are sorted by whoever hashes it. */
export function factsOf(
  principal: Principal,
  signIn: {
    readonly signedInAt: number;
    readonly amr: readonly string[];
    readonly scope?: readonly string[] | undefined;
  },
): Readonly<Record<string, unknown>> {
  return {
    claims: {
      iss: principal.issuer,
      sub: principal.subject,
      ...(principal.email === undefined ? {} : { email: principal.email }),
      ...(principal.name === undefined ? {} : { name: principal.name }),
    },
    ...(principal.boundEmail === undefined ? {} : { boundEmail: principal.boundEmail }),
    groups: principal.groups,
    method: methodOf(principal),
    amr: signIn.amr,
    signedInAt: signIn.signedInAt,
    ...(signIn.scope === undefined ? {} : { scope: signIn.scope }),
  };
}
