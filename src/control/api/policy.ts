import type { FastifyInstance } from 'fastify';
import { PolicyRules, PolicyState } from '../contract/policy.ts';
import { OPERATORS, READERS } from '../permission.ts';
import type { ControlDeps } from '../ports.ts';

export function servePolicy(app: FastifyInstance, { policy }: ControlDeps): void {
  app.get(
    '/api/v1/policy',
    {
      config: { permission: READERS, summary: 'The policy version in force' },
      schema: { response: { 200: PolicyState } },
    },
    (): PolicyState => {
      const { version, loadedAt, ruleSet, warnings, refusal } = policy.current();
      return {
        version,
        loadedAt,
        rules: ruleSet.rules.length,
        warnings: [...warnings],
        refusal: refusal === undefined ? null : { ...refusal, problems: [...refusal.problems] },
      };
    },
  );

  app.get(
    '/api/v1/policy/rules',
    {
      config: { permission: OPERATORS, summary: 'The rules and local groups in force' },
      schema: { response: { 200: PolicyRules } },
    },
    (): PolicyRules => {
      const { version, ruleSet } = policy.current();
      return {
        version,
        rules: ruleSet.rules.map(({ id, effect, who, what, methods, paths, destinations, message }) => ({
          id,
          effect,
          who: [...who],
          what: [...what],
          methods: methods === undefined ? null : [...methods],
          paths: paths === undefined ? null : [...paths],
          destinations: destinations === undefined ? null : [...destinations],
          message: message ?? null,
        })),
        groups: ruleSet.groups.map(({ name, members }) => ({ name, members: [...members] })),
      };
    },
  );
}
