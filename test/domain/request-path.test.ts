import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_TARGET_BYTES, type PathRefusal, parseRequestTarget } from '../../src/domain/request-path.ts';

const refused: Readonly<Record<PathRefusal, readonly string[]>> = {
  not_origin_form: ['', '*', 'admin', 'http://a/', 'example.com:443', ' /', '?a', './a'],
  dot_segment: [
    '/.',
    '/..',
    '/../',
    '/a/..',
    '/a/./b',
    '/a/../b',
    '/%2e',
    '/%2E%2e/b',
    '/.%2e',
    '/%2e./a',
    '/%252e%252e/a',
    '/%25252e./a',
    '/..;/admin',
    '/..;x=1/admin',
    '/.;',
    '/..%3bx/admin',
    '/..%2fadmin',
    '/a%2f..%2fb',
    '/a%2F..',
    '/a%252f..%252fb',
    '/%2e%2e%2f',
    '/..%23',
    '/..%3fx',
    '/%2e?q',
  ],
  backslash: ['/a\\b', '/pub\\..\\admin', '/%5c', '/a%5C..%5Cb', '/%255c'],
  forbidden_byte: [
    '/a b',
    '/a\tb',
    '/a\u0000',
    '/a\r\nX: y',
    '/é',
    '/\u007f',
    '/\u0100',
    '/a#b',
    '/admin#/public',
    '/a?b#c',
    '/a?b c',
    '/%00',
    '/%0d%0aX:%20y',
    '/%7f',
    '/%2500',
    '/%1f',
    `/${'a'.repeat(MAX_TARGET_BYTES)}`,
  ],
  bad_percent: ['/%', '/%2', '/%zz', '/a%', '/%u002e', '/%c0%ae', '/%ff', '/%e2%82', '/%ed%a0%80'],
};
for (const [refusal, targets] of Object.entries(refused))
  test(`refused: ${refusal}`, () => {
    for (const target of targets) assert.equal(parseRequestTarget(target), refusal, JSON.stringify(target));
  });

test('accepted, and read in one way', () => {
  const accepted: Record<string, readonly string[]> = {
    '/': [''],
    '/a': ['a'],
    '/a/': ['a', ''],
    '/a/b?c=/../d&e=%': ['a', 'b'],
    '/?': [''],
    '/...': ['...'],
    '/.well-known/x': ['.well-known', 'x'],
    '/..a/b..': ['..a', 'b..'],
    '/a%20b': ['a b'],
    '/%61dmin': ['admin'],
    '/caf%C3%A9': ['café'],
    '/100%25': ['100%'],
    '/!$&\'()*+,=:@[]|^`{}<>"~': ['!$&\'()*+,=:@[]|^`{}<>"~'],
    '/%2A': ['*'],
    '/%3Fa%23b': ['?a#b'],
  };
  for (const [target, segments] of Object.entries(accepted)) {
    const path = parseRequestTarget(target);
    assert(typeof path !== 'string', target);
    assert.deepEqual(path.segments, segments, target);
    assert.equal(path.ambiguous, false, target);
    assert.equal(path.raw + (path.query === undefined ? '' : `?${path.query}`), target);
  }
});

test('what GitLab, npm, RabbitMQ and Gitea use is accepted and marked as ambiguous', () => {
  const ambiguous: Record<string, readonly string[]> = {
    '/api/v4/projects/group%2Fproject': ['api', 'v4', 'projects', 'group/project'],
    '/@scope%2fpkg': ['@scope/pkg'],
    '/api/queues/%2F/name': ['api', 'queues', '/', 'name'],
    '//': ['', ''],
    '//a': ['', 'a'],
    '/a//b': ['a', '', 'b'],
    '/a//': ['a', '', ''],
    '/a;v=1/b': ['a;v=1', 'b'],
    '/a%3Bb': ['a;b'],
    '/;': [';'],
  };
  for (const [target, segments] of Object.entries(ambiguous)) {
    const path = parseRequestTarget(target);
    assert(typeof path !== 'string', target);
    assert.deepEqual(path.segments, segments, target);
    assert.equal(path.ambiguous, true, target);
    assert.equal(path.raw, target);
  }
});

test('percent signs in percent signs end in a refusal, not in endless decoding', () => {
  assert.equal(parseRequestTarget(`/%${'25'.repeat(8000)}`), 'bad_percent');
  assert.equal(parseRequestTarget('/%2525252e'), 'dot_segment');
  assert.equal(typeof parseRequestTarget(`/${'%25'.repeat(5000)}`), 'object');
});

const PIECES = ['/', '/', 'a', 'admin', '.', '..', '%2e', '%2E', '%2f', '%5c', '\\', ';', '?', '#', '%', '%25', '%00'];
const target = fc.oneof(
  fc
    .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((parts) => `/${parts.join('')}`),
  fc.webPath().map((path) => `/${path}`),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

test('what is accepted is kept byte for byte and never holds a dot segment, however often it is decoded', () => {
  fc.assert(
    fc.property(target, (text) => {
      const path = parseRequestTarget(text);
      if (typeof path === 'string') return;
      assert.equal(path.raw + (path.query === undefined ? '' : `?${path.query}`), text);
      assert(!path.raw.includes('?'));
      assert.match(text, /^\/[!-~]*$/);
      assert.deepEqual(
        path.segments,
        path.raw
          .slice(1)
          .split('/')
          .map((segment) => decodeURIComponent(segment)),
      );
      let layer = path.raw;
      for (let round = 0; round < 8; round++) {
        assert(!/[\\\u0000-\u001f]/.test(layer), layer);
        for (const part of layer.split('/')) assert(!['.', '..'].includes(part.split(';')[0] ?? ''), layer);
        layer = layer.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
      }
      const ambiguous = /%2f|%3b|;|\/\//i.test(path.raw);
      assert.equal(path.ambiguous, ambiguous, text);
    }),
    { numRuns: 5000 },
  );
});

test('a URL parser that normalises finds nothing to normalise', () => {
  fc.assert(
    fc.property(target, (text) => {
      const path = parseRequestTarget(text);
      if (typeof path === 'string' || path.raw.startsWith('//')) return;
      const { pathname } = new URL(path.raw, 'http://target');
      // It may escape more characters, but removes and adds no segment.
      assert.equal(pathname.split('/').length, path.raw.split('/').length, text);
      assert.equal(decodeURIComponent(pathname), decodeURIComponent(path.raw), text);
    }),
    { numRuns: 5000 },
  );
});
