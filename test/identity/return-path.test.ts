import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_RETURN_PATH_BYTES, safeReturnPath } from '../../src/identity/sign-in/return-path.ts';

const HERE = 'https://wiki.example.com';

test('paths on this host are kept as they are', () => {
  for (const path of [
    '/',
    '/a',
    '/a/b?c=d&e=%2F',
    '/a%2Fb',
    '/a//b',
    '/?next=https://x.example/',
    '/@x',
    '/.hidden',
    '/a;b=c',
  ]) {
    assert.equal(safeReturnPath(path), path);
  }
});

test('whatever a browser could read as another origin becomes the start page', () => {
  for (const path of [
    undefined,
    '',
    'a',
    'https://evil.example/',
    'javascript:alert(1)',
    'data:text/html,x',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '/a\\b',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/ /evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/%2e//evil.example',
    '/a/../..//evil.example',
    '/\u2028/evil.example',
    '/é',
    '/a\r\nSet-Cookie: x=y',
    '@evil.example',
    '.evil.example',
    ':80',
    '?x',
    '#x',
  ]) {
    assert.equal(safeReturnPath(path), '/', JSON.stringify(path));
  }
});

test('a long path loses its query, a longer one everything', () => {
  assert.equal(safeReturnPath(`/a?${'x'.repeat(MAX_RETURN_PATH_BYTES)}`), '/a');
  assert.equal(safeReturnPath(`/${'x'.repeat(MAX_RETURN_PATH_BYTES)}`), '/');
  assert.equal(safeReturnPath(`//evil.example?${'x'.repeat(MAX_RETURN_PATH_BYTES)}`), '/');
});

test('from any text, the browser stays here', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%5c',
    'evil.example',
    '@',
    ':',
    '?',
    '#',
    '\t',
    '\n',
    ' ',
    'a',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 10 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (path) => {
      const safe = safeReturnPath(path);
      assert.ok(safe === '/' || safe === path);
      assert.equal(new URL(safe, `${HERE}/.postern/redeem`).origin, HERE);
    }),
    { numRuns: 3_000 },
  );
});
