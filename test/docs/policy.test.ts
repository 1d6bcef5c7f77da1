import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPolicyTests } from '../../src/policy/policy-tests.ts';
import { resource } from '../domain/resource.ts';
import { ISSUER, policyOf } from '../policy/fixtures.ts';

test('The rules and tests that docs/policy.md shows hold as they stand', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/policy.md', import.meta.url)), 'utf8');
  const [rules = '', tests = ''] = Array.from(page.matchAll(/```yaml\n(.*?)```/gs), ([, text]) => text);
  const resources = [resource('shop'), resource('payroll'), resource('intra', { tags: ['internal'] })];
  const loaded = policyOf(rules, resources);
  assert.deepEqual(loaded.warnings, []);
  const report = runPolicyTests([{ file: 'shop.test.yaml', text: tests }], loaded, { resources, issuer: ISSUER });
  assert.deepEqual(report, { passed: 6, failures: [] });
});
