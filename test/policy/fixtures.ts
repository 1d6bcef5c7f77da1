import type { Check, Policy } from '../../src/domain/decision.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { parseRequestTarget } from '../../src/domain/request-path.ts';
import type { Resource } from '../../src/domain/resource.ts';
import { buildPolicy, type LoadedPolicy } from '../../src/policy/load-policy.ts';
import { resource } from '../domain/resource.ts';

export const ISSUER = 'https://idp.example.com';

export function person(facts: Partial<Principal> = {}): Principal {
  return {
    id: 'p',
    kind: 'person',
    issuer: ISSUER,
    subject: 's',
    email: facts.boundEmail,
    boundEmail: undefined,
    name: undefined,
    groups: [],
    ...facts,
  };
}

export { resource };

export const WIKI = resource('wiki', { tags: ['internal'] });
export const METRICS = resource('metrics');

export function policyOf(yaml: string, resources: readonly Resource[] = [WIKI, METRICS]): LoadedPolicy {
  return buildPolicy([{ file: 'policy.yaml', text: yaml }], { resources, issuer: ISSUER });
}

export function checkOf(principal: Principal, target = '/', method = 'GET', of: Resource = WIKI): Check {
  const path = parseRequestTarget(target);
  if (typeof path === 'string') throw new Error(`${target}: ${path}`);
  return { principal, resource: of, action: { kind: 'http', method, path } };
}

/** `allow rule` or `deny rule-or-reason`. */
export function verdict(policy: Policy, check: Check): string {
  const decision = policy.decide(check);
  return `${decision.effect} ${decision.rule ?? decision.reasons.join()}`;
}
