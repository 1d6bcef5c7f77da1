/** Our record of an authenticated person or service. Its key is (issuer, subject), never the e-mail. */
export interface Principal {
  /** Random UUID given at the first sign-in; the pseudonym in audit leaves. */
  readonly id: string;
  readonly kind: 'person' | 'service' | 'anonymous';
  readonly issuer: string;
  readonly subject: string;
  /** As the provider last said, and only if it said that it is verified; lower case. */
  readonly email: string | undefined;
  /** The e-mail under which rules and roles may name this person: bound to (issuer, subject) at the first sign-in. */
  readonly boundEmail: string | undefined;
  readonly name: string | undefined;
  /** The provider's groups as of the last sign-in, unprefixed. */
  readonly groups: readonly string[];
}

/** Whoever presents nothing. Only rules for `anyone` speak of them; records and targets name nobody. */
export const ANONYMOUS: Principal = {
  id: 'anonymous',
  kind: 'anonymous',
  issuer: '',
  subject: '',
  email: undefined,
  boundEmail: undefined,
  name: undefined,
  groups: [],
};

/** Issuer of services. Issuers of providers are URLs, so none is called so. */
const SERVICE_ISSUER = 'urn:postern:services';

/** Key of the service of a name. The subject says what it is, so that no target takes it for a person of that name. */
export function serviceKey(name: string): { readonly issuer: string; readonly subject: string } {
  return { issuer: SERVICE_ISSUER, subject: `service:${name}` };
}

/** Is it a program that an admin gave an identity? Whoever holds the relay's machine is a service of another issuer. */
export function isService({ kind, issuer }: Principal): boolean {
  return kind === 'service' && issuer === SERVICE_ISSUER;
}

/** What a principal may do at the relay itself; access to resources is the policy's alone. */
export type Role = 'admin' | 'security' | 'auditor';

/** Who has a role. */
export interface RoleMembers {
  /** The provider's groups. */
  readonly groups: readonly string[];
  /** Bound e-mails, lower case. */
  readonly people: readonly string[];
}
