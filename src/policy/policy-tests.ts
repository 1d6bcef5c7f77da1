import type { Static } from 'typebox';
import { Problems } from '../config/problem.ts';
import { parseYaml } from '../config/yaml-document.ts';
import { ANONYMOUS, type Principal, serviceKey } from '../domain/principal.ts';
import { parseRequestTarget } from '../domain/request-path.ts';
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
      const path = parseRequestTarget(test.path ?? '/');
      const isPerson = test.person !== undefined || test.groups !== undefined;
      if (test.stranger && (isPerson || test.service !== undefined))
        failures.add(place, 'a stranger has neither "person" nor "groups" nor "service"');
      else if (isPerson && test.service !== undefined)
        failures.add(place, 'a service has neither "person" nor "groups"');
      else if (!resource) failures.add(place, `there is no resource "${test.resource}"`);
      else if (typeof path === 'string') failures.add(place, `the path is refused before any rule: ${path}`);
      else {
        const principal = principalOf(test, issuer);
        const method = test.method ?? 'GET';
        const decision = policy.decide({ principal, resource, action: { kind: 'http', method, path } });
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
