import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkOf, person, policyOf, resource } from '../policy/fixtures.ts';

const RULES = `rules:
  - { id: public, effect: allow, who: [anyone-signed-in], what: [resource:wiki], paths: [/files/*, /pub/**] }
  - { id: secret, effect: deny, who: [anyone-signed-in], what: [resource:wiki], paths: [/files/secret/**, /pub/secret/**] }
`;

describe('a deny by path', () => {
  for (const paths of ['strict', 'lenient'] as const)
    it(`is not passed by separators encoded more than once (${paths})`, () => {
      const wiki = resource('wiki', { paths });
      const { policy } = policyOf(RULES, [wiki]);
      const effectOf = (target: string) => policy.decide(checkOf(person(), target, 'GET', wiki)).effect;
      for (const hidden of [
        '/pub/secret%2Fx',
        '/pub/secret%252Fx',
        '/pub/secret%25252fx',
        '/files/secret%252Fx',
        '/pub/secret%253Ba/x',
        '/pub/%2573ecret%252Fx',
      ])
        assert.equal(effectOf(hidden), 'deny', hidden);
      assert.equal(effectOf('/pub/100%2525/What%3F'), 'allow', 'its twin: a percent sign and a question mark');
    });

  it('lenient: what is allowed in every reading still passes', () => {
    const wiki = resource('wiki', { paths: 'lenient' });
    const { policy } = policyOf(RULES, [wiki]);
    for (const target of ['/pub/@scope%2Fname', '/pub/@scope%252Fname', '/pub/a;v=1'])
      assert.equal(policy.decide(checkOf(person(), target, 'GET', wiki)).effect, 'allow', target);
  });
});
