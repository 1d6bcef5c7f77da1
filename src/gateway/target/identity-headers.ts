import type { Principal } from '../../domain/principal.ts';
import type { IdentityFact, Resource } from '../../domain/resource.ts';
import { foldName } from './header-kind.ts';

export interface IdentityHeaders {
  /** Folded names; what a client sends under them is dropped. */
  readonly names: ReadonlySet<string>;
  readonly facts: readonly (readonly [string, IdentityFact])[];
}

const byResource = new WeakMap<Resource, IdentityHeaders>();

export function identityHeaders(resource: Resource): IdentityHeaders {
  let headers = byResource.get(resource);
  if (headers === undefined) {
    const facts = Object.entries(resource.identityHeaders);
    headers = { names: new Set(facts.map(([name]) => foldName(name))), facts };
    byResource.set(resource, headers);
  }
  return headers;
}

/** The value for a header, in visible ASCII; undefined when the fact is not known. Groups are separated by commas. */
export function factValue(principal: Principal, fact: IdentityFact): string | undefined {
  switch (fact) {
    case 'email':
    case 'name':
    case 'subject':
    case 'id': {
      const value = principal[fact];
      return value === undefined ? undefined : encodeValue(value);
    }
    case 'groups':
      return principal.groups.map((group) => encodeValue(group).replaceAll(',', '%2C')).join(',');
  }
}

/** Percent-encodes what is not visible ASCII or an inner space, and `%` itself, so that no value can end the line or mean two things. */
function encodeValue(value: string): string {
  return value.toWellFormed().replace(/[^\x20-\x7e]+|%|^ +| +$/g, (part) => encodeURIComponent(part));
}
