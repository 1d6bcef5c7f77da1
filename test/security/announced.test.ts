import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkOf, person, policyOf, resource } from '../policy/fixtures.ts';

const PHISH = resource('single-sign-on', { announced: true });
const WIKI = resource('wiki');
const rules = (more: string) => `rules:
  - { id: everything, effect: allow, who: [anyone-signed-in], what: [any-resource] }
${more}`;
const NAMED = '  - { id: named, effect: allow, who: [anyone-signed-in], what: [resource:single-sign-on] }\n';
const DENIED = '  - { id: nothing, effect: deny, who: [anyone-signed-in], what: [any-resource] }\n';

it('a name that an agent announces is nobody’s until a rule names it: "any-resource" was not about it', () => {
  const someone = person();
  const effectOf = (text: string, of = PHISH) => {
    const { policy } = policyOf(text, [PHISH, WIKI]);
    return [policy.decide(checkOf(someone, '/', 'GET', of)).effect, policy.mayReach(someone, of)];
  };
  assert.deepEqual(effectOf(rules('')), ['deny', false]);
  assert.deepEqual(effectOf(rules(''), WIKI), ['allow', true], 'its twin: what the file names');
  assert.deepEqual(effectOf(rules(NAMED)), ['allow', true], 'its twin: what a rule names');
  assert.deepEqual(effectOf(rules(NAMED + DENIED)), ['deny', false], 'a deny is about everything');
});
