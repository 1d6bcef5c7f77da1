import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { configCheck } from '../../src/cli/config-check.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-check-'));
after(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

mkdirSync(join(directory, 'policies'));
write('client-secret', 's');
const RULE = 'rules: [{ id: a, effect: allow, who: [provider:employees], what: [resource:wiki] }]\n';
const RELAY = `relay: { url: http://postern.localhost, listen: 127.0.0.1:0 }
provider: { issuer: http://localhost:1, clientId: postern, clientSecretFile: ./client-secret }
roles: { admin: { groups: [security] } }
agents: { office: {} }
resources: { wiki: { agent: office } }
`;

test('a relay, with its policy and the tests of it', () => {
  write('policies/a.yaml', RULE);
  write('policies/a.test.yaml', 'tests: [{ groups: [employees], resource: wiki, expect: allow }]\n');
  const { ok, text } = configCheck(write('postern.yaml', RELAY));
  assert.equal(ok, true, text);
  assert.match(text, /1 resource, 1 agent, 1 rule, 1 policy test passed/);
});

test('its policy refers to a resource that is not there, or fails its test', () => {
  write('policies/a.yaml', RULE.replace('wiki', 'wikis'));
  const refused = configCheck(write('postern.yaml', RELAY));
  assert.equal(refused.ok, false);
  assert.match(refused.text, /a\.yaml:1:67: there is no resource "wikis".*did you mean "wiki"/);
  write('policies/a.yaml', RULE.replace('allow', 'deny'));
  const failed = configCheck(write('postern.yaml', RELAY));
  assert.equal(failed.ok, false);
  assert.match(failed.text, /a\.test\.yaml:1:9: expected allow, got deny by a/);
});

test('an agent, a policy file, and a file that is not there', () => {
  const agent = write(
    'agent.yaml',
    'relay: http://postern.localhost\nname: office\ntargets: { wiki: http://127.0.0.1:1 }\n',
  );
  assert.deepEqual(configCheck(agent), { ok: true, text: `${agent}: agent "office", 1 target.` });
  assert.equal(configCheck(write('rules.yaml', RULE)).ok, true);
  assert.equal(configCheck(write('rules.yaml', RULE.replace('effect', 'efect'))).ok, false);
  assert.equal(configCheck(join(directory, 'none.yaml')).ok, false);
});
