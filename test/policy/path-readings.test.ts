import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseRequestTarget } from '../../src/domain/request-path.ts';
import { readingsOf } from '../../src/policy/path-readings.ts';
import { checkOf, person, policyOf, resource, verdict } from './fixtures.ts';

/** How real targets turn a raw path into the page they serve. */
const TARGETS: Readonly<Record<string, (raw: string) => string>> = {
  'decodes all': (raw) => decodeURIComponent(raw),
  'decodes all, merges slashes': (raw) => decodeURIComponent(raw).replace(/\/+/g, '/'),
  'cuts parameters, decodes': (raw) => decodeURIComponent(raw.replace(/;[^/]*/g, '')),
  'cuts parameters, decodes, merges': (raw) => decodeURIComponent(raw.replace(/;[^/]*/g, '')).replace(/\/+/g, '/'),
  'decodes, cuts parameters': (raw) => decodeURIComponent(raw).replace(/;[^/]*/g, ''),
  'decodes, cuts parameters, merges': (raw) =>
    decodeURIComponent(raw)
      .replace(/;[^/]*/g, '')
      .replace(/\/+/g, '/'),
  'keeps %2F, merges slashes': (raw) => raw.replace(/\/+/g, '/'),
  'keeps %2F, cuts parameters': (raw) => raw.replace(/;[^/]*/g, ''),
};

const lenient = resource('wiki', { paths: 'lenient' });
const { policy } = policyOf(
  `
rules:
  - { id: most, effect: allow, who: [anyone-signed-in], what: [resource:wiki], paths: [/a/**, /b/*, /c, /] }
  - { id: admin, effect: deny, who: [anyone-signed-in], what: [resource:wiki], paths: [/a/admin/**, /a/*/admin, /b/admin] }
`,
  [lenient],
);
const raw = fc
  .array(fc.constantFrom('/', '/', '/', 'a', 'b', 'c', 'admin', '%61dmin', 'x', ';', ';v=1', '%3B', '%2F', '%2f'), {
    maxLength: 9,
  })
  .map((parts) => `/${parts.join('')}`);

test('a lenient resource is never given a path that some target reads as a denied one', () => {
  let allowed = 0;
  fc.assert(
    fc.property(raw, (target) => {
      if (verdict(policy, checkOf(person(), target, 'GET', lenient)) !== 'allow most') return;
      allowed += 1;
      for (const [name, read] of Object.entries(TARGETS)) {
        const page = read(target)
          .split('/')
          .map((segment) => encodeURIComponent(segment.replace(/%2f/gi, 'z')))
          .join('/');
        const path = parseRequestTarget(page);
        if (typeof path === 'string' || path.ambiguous) continue;
        assert.equal(
          verdict(policy, checkOf(person(), page, 'GET', lenient)),
          'allow most',
          `${target}: ${name}: ${page}`,
        );
      }
    }),
    { numRuns: 6_000 },
  );
  assert(allowed > 150);
});

test('readings are few, whatever the path', () => {
  fc.assert(
    fc.property(raw, (target) => {
      const path = parseRequestTarget(target);
      assert(typeof path !== 'string');
      const readings = readingsOf(path);
      assert(readings.length >= 1 && readings.length <= 14);
      assert.deepEqual(readings[0], path.segments);
    }),
  );
});
