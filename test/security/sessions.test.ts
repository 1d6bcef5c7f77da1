import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StoredSession } from '../../src/domain/stored/session.ts';
import { createMint } from '../../src/identity/keys/mint.ts';
import type { SessionStore } from '../../src/identity/ports.ts';
import { Sessions } from '../../src/identity/sessions.ts';
import { createLog } from '../../src/lib/log.ts';

const MINUTE = 60_000;
const HOST = 'wiki.test';

/** Sessions over a database of one row, whose news of revocation can get lost. */
function world() {
  const mint = createMint(Buffer.alloc(32, 1));
  const state = { now: 1_000_000_000, alive: true, reads: 0 };
  const stored = {
    id: 'session',
    principal: { id: 'principal', epoch: 1 },
    browser: 'b',
    factsHash: 'f',
    factsEpoch: 1,
    signedInAt: 0,
    amr: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
    logoutHint: undefined,
    credentialExpiresAt: Number.MAX_SAFE_INTEGER,
  };
  const store = {
    findByCredential: () => {
      state.reads += 1;
      return Promise.resolve(
        state.alive ? ({ ...stored, lastSeenAt: state.now } as unknown as StoredSession) : undefined,
      );
    },
    touch: () => Promise.resolve(),
  };
  const sessions = new Sessions({
    store: store as unknown as SessionStore,
    limits: { idleMs: 480 * MINUTE, absoluteMs: 1440 * MINUTE },
    mint,
    audit: { append: ({ id }) => Promise.resolve({ id, log: '', index: 0, leafHash: '' }) },
    recordFacts: () => Promise.resolve('f'),
    clock: () => state.now,
    log: createLog('silent'),
  });
  const cookie = mint.mint();
  return { state, sessions, read: () => sessions.readCookie(cookie, HOST) };
}

describe('a relay that was cut off from the change feed for longer than the feed remembers', () => {
  it('does not go on with a session that was revoked meanwhile', async () => {
    const { state, sessions, read } = world();
    const session = await read();
    assert.ok(session);
    state.alive = false;
    state.now += 61 * MINUTE;
    assert.equal(sessions.isCurrent(session), false, 'not even for what is in the gap');
    assert.equal(await read(), undefined);
  });

  it('nor when its clock was set back meanwhile', async () => {
    const { state, sessions, read } = world();
    const session = await read();
    assert.ok(session);
    state.alive = false;
    state.now -= 120 * MINUTE;
    assert.equal(sessions.isCurrent(session), false);
    assert.equal(await read(), undefined);
  });

  it('nor with anything, when it hears that everything changed', async () => {
    const { state, sessions, read } = world();
    const session = await read();
    assert.ok(session);
    state.alive = false;
    assert.ok(await read(), 'it is in memory');
    sessions.onChange({ kind: 'everything_changed' });
    assert.equal(sessions.isCurrent(session), false);
    assert.equal(await read(), undefined);
  });

  it('its twin: a session in use costs one read in half an hour', async () => {
    const { state, read } = world();
    for (let minute = 0; minute < 29; minute += 1) {
      assert.ok(await read());
      state.now += MINUTE;
    }
    assert.equal(state.reads, 1);
  });
});
