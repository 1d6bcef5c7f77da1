import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyFromEnvironment, readProxy } from '../../src/config/http-proxy.ts';

test('a proxy from the file: address, user, and no password but from a file', () => {
  assert.deepEqual(readProxy('http://proxy:3128', undefined), {
    origin: 'http://proxy:3128',
    user: undefined,
    password: undefined,
  });
  assert.deepEqual(readProxy('http://a%40b@proxy:3128', undefined), {
    origin: 'http://proxy:3128',
    user: 'a@b',
    password: undefined,
  });
  assert.match(problemOf('http://a:b@proxy', undefined), /password does not belong here/);
  assert.match(problemOf('socks5://proxy', undefined), /must be the proxy's address/);
  assert.match(problemOf('http://proxy/path', undefined), /must be the proxy's address/);
  assert.match(problemOf('http://proxy', '/x'), /needs a user/);
  assert.match(problemOf('http://me@proxy', '/nowhere'), /cannot be read/);
});

function problemOf(...read: Parameters<typeof readProxy>): string {
  const problem = readProxy(...read);
  assert.ok(typeof problem === 'string');
  return problem;
}

test('HTTPS_PROXY is for relays at https:, but for the names in NO_PROXY', () => {
  const relay = 'https://access.example.com';
  const from = (environment: Record<string, string>, of = relay) => {
    const found = proxyFromEnvironment(of, environment);
    return typeof found === 'object' ? `${found.user ?? ''}:${found.password?.reveal() ?? ''}@${found.origin}` : found;
  };
  assert.equal(from({ HTTPS_PROXY: 'http://proxy:3128' }), ':@http://proxy:3128');
  assert.equal(from({ https_proxy: 'proxy:3128' }), ':@http://proxy:3128');
  assert.equal(from({ HTTPS_PROXY: 'http://me:p%40ss@proxy:3128' }), 'me:p@ss@http://proxy:3128');
  assert.equal(from({ HTTPS_PROXY: 'http://proxy' }, 'http://postern.localhost:8080'), undefined);
  assert.equal(from({}), undefined);
  for (const exempt of ['*', 'access.example.com', '.example.com', 'x, example.com', '*.example.com'])
    assert.equal(from({ HTTPS_PROXY: 'http://proxy', NO_PROXY: exempt }), undefined, exempt);
  assert.equal(from({ HTTPS_PROXY: 'http://proxy', NO_PROXY: 'ample.com,other.org' }), ':@http://proxy');
  assert.match(String(from({ HTTPS_PROXY: 'socks://x' })), /HTTPS_PROXY must be/);
});
