import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Session } from '../../src/domain/session.ts';
import { DATA_KEY_FILE, loadDataKey } from '../../src/identity/keys/data-key.ts';
import { deriveKey } from '../../src/identity/keys/derive-key.ts';
import { createMint } from '../../src/identity/keys/mint.ts';
import { createSeal } from '../../src/identity/keys/seal.ts';
import { loadKeyRing } from '../../src/identity/keys/signing-keys.ts';
import { rolesOf } from '../../src/identity/roles.ts';
import { SessionCache } from '../../src/identity/session-cache.ts';
import {
  dropCookie,
  FLOW_COOKIE_PREFIX,
  flowIdsOf,
  isPosternCookie,
  readCookie,
  SESSION_COOKIE,
} from '../../src/identity/sign-in/cookies.ts';
import { MAX_FLOWS, newFlowId, openFlowCookies } from '../../src/identity/sign-in/flow.ts';
import { temporaryDirectory } from '../store/databases.ts';

describe('cookies', () => {
  test('one of a name is read, two of a name are refused', () => {
    assert.equal(readCookie(`a=1; ${SESSION_COOKIE}=x; b=2`, SESSION_COOKIE), 'x');
    assert.equal(readCookie(`${SESSION_COOKIE}=x=y==`, SESSION_COOKIE), 'x=y==');
    assert.equal(readCookie(`${SESSION_COOKIE}=x; ${SESSION_COOKIE}=x`, SESSION_COOKIE), undefined);
    assert.equal(readCookie(`${SESSION_COOKIE}=; ${SESSION_COOKIE}=x`, SESSION_COOKIE), undefined);
    assert.equal(readCookie(`${SESSION_COOKIE.toLowerCase()}=x`, SESSION_COOKIE), undefined);
    assert.equal(readCookie(`${SESSION_COOKIE}`, SESSION_COOKIE), undefined);
    assert.equal(readCookie(undefined, SESSION_COOKIE), undefined);
  });

  test('ours are known in any case', () => {
    assert.ok(isPosternCookie(SESSION_COOKIE));
    assert.ok(isPosternCookie('__HOST-Postern-flow-x'));
    assert.equal(isPosternCookie('postern-session'), false);
  });

  test('at most eight flows are open, the oldest go', () => {
    const ids = Array.from({ length: 10 }, (_, n) => newFlowId(1_000 + n));
    const header = ids
      .toReversed()
      .map((id) => `${FLOW_COOKIE_PREFIX}${id}=v`)
      .join('; ');
    assert.deepEqual(flowIdsOf(header), ids);
    const lines = openFlowCookies(newFlowId(2_000), 'v', header);
    assert.equal(lines.length, 1 + 10 + 1 - MAX_FLOWS);
    assert.deepEqual(
      lines.slice(1),
      ids.slice(0, 3).map((id) => dropCookie(FLOW_COOKIE_PREFIX + id)),
    );
    assert.equal(openFlowCookies(newFlowId(2_000), 'v', undefined).length, 1);
  });
});

test('keys that are derived stay what they are: the database is sealed with them', () => {
  const key = deriveKey(Buffer.alloc(32, 7), 'credentials');
  assert.equal(key.toString('hex'), '00ebb38f8d4b886df0453d91eb10033da618c5276200f978ec72049151517128');
  assert.notDeepEqual(deriveKey(Buffer.alloc(32, 7), 'sign-in'), key);
});

describe('seal', () => {
  test('opens what it sealed in the same place, and nothing else', () => {
    const key = Buffer.alloc(32, 7);
    const seal = createSeal(key, 'a');
    fc.assert(
      fc.property(fc.string(), fc.string(), (plain, context) => {
        const sealed = seal.seal(plain, context);
        assert.equal(seal.open(sealed, context), plain);
        assert.equal(seal.open(sealed, `${context}x`), undefined);
        assert.equal(createSeal(key, 'b').open(sealed, context), undefined);
        const bytes = Buffer.from(sealed, 'base64url');
        const at = plain.length % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        assert.equal(seal.open(bytes.toString('base64url'), context), undefined);
        assert.equal(seal.open(sealed.slice(0, 10), context), undefined);
      }),
      { numRuns: 200 },
    );
  });
});

describe('the mint', () => {
  test('knows its own, and no guess', () => {
    const mint = createMint(Buffer.alloc(32, 1));
    const text = mint.mint();
    assert.match(text, /^[A-Za-z0-9_-]{64}$/);
    assert.ok(mint.isOurs(text));
    assert.notEqual(mint.mint(), text);
    assert.equal(createMint(Buffer.alloc(32, 2)).isOurs(text), false);
    for (let at = 0; at < text.length; at++) {
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      assert.equal(mint.isOurs(changed), false);
    }
    for (const other of ['', 'x', `${text}A`, text.slice(1), `${text.slice(0, 63)}=`])
      assert.equal(mint.isOurs(other), false);
  });
});

describe('the data key', () => {
  test('is made once, for this user only, and a damaged one is refused', async () => {
    await using directory = await temporaryDirectory();
    const dataDir = join(directory.path, 'data');
    const key = loadDataKey(dataDir);
    assert.equal(key.length, 32);
    assert.deepEqual(loadDataKey(dataDir), key);
    assert.equal(statSync(join(dataDir, DATA_KEY_FILE)).mode & 0o777, 0o600);
    writeFileSync(join(dataDir, DATA_KEY_FILE), 'short');
    assert.throws(() => loadDataKey(dataDir), { code: 'config_invalid' });
  });

  test('another one does not open the signing keys', async () => {
    const rows: { kid: string; sealed: string; createdAt: number }[] = [];
    const store = { list: async () => rows, addFirst: async (key: (typeof rows)[number]) => void rows.push(key) };
    const ring = await loadKeyRing(store, createSeal(Buffer.alloc(32, 1), 'keys'), Date.now);
    const again = await loadKeyRing(store, createSeal(Buffer.alloc(32, 1), 'keys'), Date.now);
    assert.equal(again.current.kid, ring.current.kid);
    assert.ok(!rows[0]?.sealed.includes('PRIVATE'));
    await assert.rejects(loadKeyRing(store, createSeal(Buffer.alloc(32, 2), 'keys'), Date.now), {
      code: 'config_invalid',
    });
  });
});

describe('roles', () => {
  const person = (more: object) => ({
    id: '1',
    kind: 'person' as const,
    issuer: 'i',
    subject: 's',
    email: undefined,
    boundEmail: undefined,
    name: undefined,
    groups: [],
    ...more,
  });
  const roles = {
    admin: { groups: ['security'], people: ['Sam@example.com'] },
    auditor: { groups: ['audit'], people: [] },
  };

  test('come from groups and bound e-mails, never from an e-mail that is not bound', () => {
    assert.deepEqual(rolesOf(roles, person({ groups: ['security', 'audit'] })), ['admin', 'auditor']);
    assert.deepEqual(rolesOf(roles, person({ boundEmail: 'sam@example.com' })), ['admin']);
    assert.deepEqual(rolesOf(roles, person({ email: 'sam@example.com' })), []);
    assert.deepEqual(rolesOf(roles, person({ groups: ['Security'] })), []);
  });
});

describe('the session cache', () => {
  const session = (id: string, principal = 'p', epoch = 1) =>
    ({ id, principal: { id: principal }, epoch, expiresAt: 1_000 }) as unknown as Session;
  const entry = (id: string, principal?: string) => ({
    session: session(id, principal),
    browser: 'b',
    unattended: false,
    readAt: 0,
    lastSeenAt: 0,
    touchedAt: 0,
  });

  test('a read that a revocation overtook is not kept', () => {
    const cache = new SessionCache();
    const mark = cache.mark();
    cache.forgetSession('a');
    assert.equal(cache.put('key', 1_000, entry('a'), mark), false);
    assert.equal(cache.get('key', 0), undefined);
    assert.equal(cache.put('key', 1_000, entry('b'), mark), true, 'others are not affected');
    const later = cache.mark();
    cache.forgetPrincipal('p');
    assert.equal(cache.put('key', 1_000, entry('b'), later), false);
    assert.equal(cache.peek('b'), undefined);
    assert.equal(cache.put('key', 1_000, entry('b'), cache.mark()), true);
  });

  test('a credential that is over opens nothing while its session lives on', () => {
    const cache = new SessionCache();
    cache.put('cookie', 1_000, entry('a'), cache.mark());
    cache.put('token', 500, entry('a'), cache.mark());
    assert.ok(cache.get('token', 499));
    assert.equal(cache.get('token', 500), undefined);
    assert.ok(cache.get('cookie', 500));
  });

  test('is bounded, and the one used longest ago leaves', () => {
    const cache = new SessionCache();
    for (let n = 0; n < 20_000; n++) cache.put(`k${n}`, 10_000, entry(`s${n}`, `p${n}`), cache.mark());
    cache.get('k0', 1_000);
    cache.put('new', 10_000, entry('new'), cache.mark());
    assert.ok(cache.peek('s0'));
    assert.equal(cache.peek('s1'), undefined);
    assert.equal(cache.get('k1', 0), undefined);
    for (let n = 0; n < 20_000; n++) cache.forgetSession(`x${n}`);
    assert.equal(cache.put('old', 1_000, entry('old'), 1), false, 'what may have been forgotten counts as revoked');
  });
});
