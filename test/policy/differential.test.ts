import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Enforcer, newEnforcer, newModelFromString } from 'casbin';
import fc from 'fast-check';
import { type Principal, serviceKey } from '../../src/domain/principal.ts';
import type { Resource } from '../../src/domain/resource.ts';
import { linesOf, objectsOf } from '../../src/policy/candidates.ts';
import { FUNCTIONS, loadModelText } from '../../src/policy/casbin-model.ts';
import { compilePolicy } from '../../src/policy/compile.ts';
import type { LocalGroup, Rule } from '../../src/policy/rule.ts';
import { groupsByMember, subjectsOf } from '../../src/policy/subjects.ts';
import { checkOf, ISSUER, person, resource } from './fixtures.ts';

const some = <T>(values: readonly T[], least = 1) => fc.subarray([...values], { minLength: least });
const segment = fc.constantFrom('a', 'b', 'A', 'docs', '*', 'c d');
const pattern = fc
  .tuple(fc.array(segment, { maxLength: 3 }), fc.constantFrom('', '/**', '/'))
  .map(([segments, end]) => `/${segments.join('/')}${segments.length === 0 ? end.slice(1) : end}`);

const rule = fc.record({
  effect: fc.constantFrom('allow' as const, 'allow' as const, 'deny' as const),
  who: some(['provider:a', 'provider:b', 'group:g', 'group:h', 'person:x@y', 'service:ci', 'anyone-signed-in']),
  what: some(['resource:wiki', 'resource:metrics', 'tag:t', 'tag:u', 'any-resource']),
  methods: fc.option(some(['GET', 'HEAD', 'POST']), { nil: undefined }),
  paths: fc.option(fc.array(pattern, { minLength: 1, maxLength: 3 }), { nil: undefined }),
});
const rules = fc
  .array(rule, { maxLength: 12 })
  .map((list): Rule[] =>
    list.map((each, at) => ({ ...each, id: `r${at}`, destinations: undefined, message: undefined })),
  );
const groups = fc
  .tuple(some(['provider:a', 'provider:c', 'person:x@y'], 0), some(['provider:b', 'person:z@y'], 0))
  .map(([g, h]): LocalGroup[] => [
    { name: 'g', members: [...g, 'service:ci'] },
    { name: 'h', members: h },
  ]);
const principal = fc
  .record({
    groups: some(['a', 'b', 'c', 'd'], 0),
    boundEmail: fc.constantFrom(undefined, 'x@y', 'z@y'),
    issuer: fc.constantFrom(ISSUER, ISSUER, ISSUER, 'https://other.example.com'),
  })
  .map(person);
const service = fc.constantFrom('ci', 'monitor', 'a').map((name) => person({ kind: 'service', ...serviceKey(name) }));
const protectedResource = fc
  .tuple(fc.constantFrom('wiki', 'metrics', 'other'), some(['t', 'u'], 0))
  .map(([name, tags]) => resource(name, { tags }));
const request = fc.record({
  principal: fc.oneof({ weight: 4, arbitrary: principal }, service),
  resource: protectedResource,
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'get', '*'),
  target: fc
    .tuple(fc.array(fc.constantFrom('a', 'b', 'A', 'docs', 'c%20d', 'z', '%61'), { maxLength: 4 }), fc.boolean())
    .map(([segments, slash]) => `/${segments.join('/')}${slash && segments.length > 0 ? '/' : ''}`),
});

async function plainCasbin(rulesOf: readonly Rule[]): Promise<Enforcer> {
  const enforcer = await newEnforcer(newModelFromString(loadModelText()));
  for (const [name, run] of Object.entries(FUNCTIONS)) await enforcer.addFunction(name, run);
  for (const line of linesOf(rulesOf, ISSUER)) await enforcer.addPolicy(...line.casbin);
  return enforcer;
}

test('indexed and remembered decisions are those of plain Casbin and of the plain meaning of the rules', async () => {
  await fc.assert(
    fc.asyncProperty(
      rules,
      groups,
      fc.array(request, { minLength: 1, maxLength: 8 }),
      async (list, local, requests) => {
        const policy = compilePolicy({ rules: list, groups: local }, ISSUER);
        const plain = await plainCasbin(list);
        const byMember = groupsByMember(local, ISSUER);
        // Twice: the second round answers from memory.
        for (const each of [...requests, ...requests]) {
          const check = checkOf(each.principal, each.target, each.method, each.resource);
          const { segments } = check.action.path;
          const decision = policy.decide(check);
          const subjects = subjectsOf(each.principal, byMember);
          const casbin = plain.enforceSync(subjects, objectsOf(each.resource), each.method, segments);
          assert.equal(decision.effect === 'allow', casbin);
          const meant = meaning(list, local, each.principal, each.resource, each.method, each.target);
          assert.deepEqual([decision.effect, decision.rule], meant);
          assert(!decision.reasons.includes('policy_failed'));
        }
      },
    ),
    { numRuns: 200 },
  );
});

/** The rules as a person would apply them, sharing no code with the product: paths by regular expression on text. */
function meaning(
  list: readonly Rule[],
  local: readonly LocalGroup[],
  who: Principal,
  what: Resource,
  method: string,
  target: string,
): ['allow' | 'deny', string | undefined] {
  const is = (written: string): boolean => {
    if (who.kind === 'service') {
      if (written === who.subject) return true;
      return local.some(({ name, members }) => written === `group:${name}` && members.includes(who.subject));
    }
    if (who.issuer !== ISSUER) return false;
    if (written === 'anyone-signed-in') return true;
    const [kind, name = ''] = written.split(/:(.*)/s);
    if (kind === 'provider') return who.groups.includes(name);
    if (kind === 'person') return who.boundEmail === name;
    return local.some((group) => group.name === name && group.members.some(is));
  };
  const text = decodeURIComponent(target).replace(/\/$/, '');
  const matching = list.filter(
    (each) =>
      each.who.some(is) &&
      each.what.some((object) =>
        object === 'any-resource'
          ? true
          : object === `resource:${what.name}` || what.tags.some((t) => object === `tag:${t}`),
      ) &&
      (!each.methods || each.methods.includes(method)) &&
      (!each.paths || each.paths.some((path) => regexOf(path).test(text))),
  );
  const denying = matching.find((each) => each.effect === 'deny');
  if (denying) return ['deny', denying.id];
  const allowing = matching.find((each) => each.effect === 'allow');
  return allowing ? ['allow', allowing.id] : ['deny', undefined];
}

function regexOf(path: string): RegExp {
  const source = path
    .replace(/\/$/, '')
    .replace(/\/\*\*$/, '(/.*)?')
    .replaceAll(/\/\*(?=\/|$|\()/g, '/[^/]+');
  return new RegExp(`^${source}$`);
}
