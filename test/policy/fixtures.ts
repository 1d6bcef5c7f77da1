import type { Check, Policy } from '../../src/domain/decision.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { parseRequestTarget } from '../../src/domain/request-path.ts';
import { DEFAULT_SETTINGS, type Resource } from '../../src/domain/resource.ts';
import { buildPolicy, type LoadedPolicy } from '../../src/policy/load-policy.ts';

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

export function resource(name: string, facts: Partial<Resource> = {}): Resource {
  return {
    name,
    title: name,
    description: undefined,
    host: `${name}.postern.localhost`,
    hosts: [`${name}.postern.localhost`],
    origin: `http://${name}.postern.localhost`,
    origins: [`http://${name}.postern.localhost`],
    tags: [],
    owner: undefined,
    agents: ['office'],
    paths: 'strict',
    websocket: true,
    corsOrigins: [],
    identityHeaders: {},
    recordedQuery: [],
    ...DEFAULT_SETTINGS,
    ...facts,
  };
}

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
