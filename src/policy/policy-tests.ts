import type { Static } from 'typebox';
import { Problems } from '../config/problem.ts';
import { parseYaml } from '../config/yaml-document.ts';
import type { Check } from '../domain/decision.ts';
import { ANONYMOUS, type Principal, serviceKey } from '../domain/principal.ts';
import { NO_PATH, parseRequestTarget } from '../domain/request-path.ts';
import type { Resource } from '../domain/resource.ts';
import { isAddress } from '../lib/network/address.ts';
import { parseEndpoint, parseHost } from '../lib/network/endpoint.ts';
import type { LoadedPolicy, Surroundings } from './load-policy.ts';
import type { PolicyFile } from './policy-files.ts';
import { PolicyTestFileSchema } from './policy-schema.ts';

export interface PolicyTestReport {
  readonly passed: number;
  /** `file:line:column: what was expected and what came`. */
  readonly failures: readonly string[];
}

/** Runs the `tests:` of *.test.yaml against a policy. Problems of the files themselves are failures, too. */
export function runPolicyTests(
  files: readonly PolicyFile[],
  { policy }: LoadedPolicy,
  { resources, issuer }: Surroundings,
): PolicyTestReport {
  const failures = new Problems();
  let passed = 0;
  for (const { file, text } of files) {
    const document = parseYaml(text, file, PolicyTestFileSchema, failures);
    for (const [at, test] of (document?.value.tests ?? []).entries()) {
      const place = document?.place('tests', at) ?? { file, line: 1, column: 1 };
      const resource = resources.find((each) => each.name === test.resource);
      const action = resource && actionOf(test, resource);
      const isPerson = test.person !== undefined || test.groups !== undefined;
      if (test.stranger && (isPerson || test.service !== undefined))
        failures.add(place, 'a stranger has neither "person" nor "groups" nor "service"');
      else if (isPerson && test.service !== undefined)
        failures.add(place, 'a service has neither "person" nor "groups"');
      else if (!resource || !action) failures.add(place, `there is no resource "${test.resource}"`);
      else if (typeof action === 'string') failures.add(place, action);
      else {
        const principal = principalOf(test, issuer);
        const decision = policy.decide({ principal, resource, action });
        const right = decision.effect === test.expect && (test.rule === undefined || decision.rule === test.rule);
        const by = decision.rule ?? decision.reasons.join(', ');
        if (right) passed += 1;
        else
          failures.add(
            place,
            `expected ${[test.expect, test.rule].filter(Boolean).join(' by ')}, got ${decision.effect} by ${by}`,
          );
      }
    }
  }
  return { passed, failures: failures.lines() };
}

type PolicyTest = Static<typeof PolicyTestFileSchema>['tests'][number];

/** What is done, or why nothing can be. */
function actionOf(
  { method, path, destination, address }: PolicyTest,
  { name, protocol }: Resource,
): Check['action'] | string {
  if (protocol === 'http') {
    const target = parseRequestTarget(path ?? '/');
    if (destination !== undefined || address !== undefined)
      return `"destination" is for networks, and "${name}" is a web app`;
    if (typeof target === 'string') return `the path is refused before any rule: ${target}`;
    return { kind: 'http', method: method ?? 'GET', path: target };
  }
  const connection = { kind: 'tcp', method: method ?? 'CONNECT', path: NO_PATH } as const;
  if (path !== undefined) return `"path" is for web apps, and "${name}" is ${protocol}`;
  if (protocol !== 'network')
    return destination === undefined ? connection : `"destination" is for networks, and "${name}" is ${protocol}`;
  const asked = parseEndpoint(destination ?? '');
  if (!asked) return `"${name}" is a network: the test needs a "destination" such as db1.lan:5432`;
  const dialled = parseHost(address ?? asked.host);
  if (dialled === undefined || !isAddress(dialled))
    return `"${destination}" is a name: the test needs the "address" that it resolves to`;
  return { ...connection, destination: { ...asked, address: dialled } };
}

function principalOf({ stranger, service, person, groups = [] }: PolicyTest, issuer: string): Principal {
  if (stranger) return ANONYMOUS;
  if (service === undefined) return personOf(issuer, person, groups);
  return { ...personOf(issuer, undefined, []), kind: 'service', ...serviceKey(service) };
}

function personOf(issuer: string, email: string | undefined, groups: readonly string[]): Principal {
  return {
    id: 'test',
    kind: 'person',
    issuer,
    subject: 'test',
    email: email?.toLowerCase(),
    boundEmail: email?.toLowerCase(),
    name: undefined,
    groups,
  };
}
