import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAuditQuery } from '../../src/audit/query.ts';
import type { StoredAgent } from '../../src/domain/stored/agent.ts';
import { openCredentials } from '../../src/identity/agents/credentials.ts';
import { createEnrollment } from '../../src/identity/agents/enrollment.ts';
import { createMint } from '../../src/identity/keys/mint.ts';
import type { KeyRing } from '../../src/identity/keys/signing-keys.ts';
import type { AgentStore } from '../../src/identity/ports.ts';
import { profileOf } from '../../src/identity/provider/profile.ts';
import { createLog } from '../../src/lib/log.ts';
import { signToken } from '../../src/token/jwt.ts';
import { generateSigningKey, publicJwkOf } from '../../src/token/key.ts';

const key = generateSigningKey();
const keys: KeyRing = {
  current: key,
  find: (kid) => (kid === key.kid ? key.publicKey : undefined),
  publicKeys: { keys: [] },
};
// As far as credentials look at it.
const agent = {
  name: 'office',
  publicKey: publicJwkOf(key.publicKey),
  keyThumbprint: key.kid,
  enrolledAt: 0,
  revokedAt: undefined,
  scope: [],
  drainedAt: undefined,
} as StoredAgent;

/** The table of agents, slow enough to be overtaken, and counting. */
class SlowStore implements AgentStore {
  stored: StoredAgent = agent;
  reads: (() => void)[] = [];
  asked = 0;
  list = () => Promise.resolve([this.stored]);
  find(): Promise<StoredAgent> {
    const asItWas = this.stored;
    this.asked += 1;
    return new Promise((resolve) => this.reads.push(() => resolve(asItWas)));
  }
  addEnrollmentToken = () => Promise.resolve();
  listEnrollmentTokens = () => {
    this.asked += 1;
    return Promise.resolve([]);
  };
  revokeEnrollmentToken = () => Promise.resolve(false);
  drain = () => Promise.resolve(false);
  enroll = () => {
    this.asked += 1;
    return Promise.resolve(false);
  };
  revoke = () => Promise.resolve(true);
  rememberAssertion = () => Promise.resolve(true);
}

describe('an agent that is revoked while its credential is looked at', () => {
  it('stays revoked, whatever was read before', async () => {
    const store = new SlowStore();
    const origin = 'https://relay.test';
    const credentials = await openCredentials({
      store,
      keys,
      relayOrigin: origin,
      isConfigured: () => true,
      clock: Date.now,
      log: createLog('silent'),
    });
    const device = {
      type: 'postern-device+jwt',
      issuer: origin,
      audience: origin,
      subject: 'office',
      lifeSeconds: 600,
    } as const;
    const jwt = await signToken(key, { ...device, claims: { cnf: { jkt: key.kid } } }, 'j', Date.now());
    const verifying = credentials.verify(jwt);
    while (store.reads.length === 0) await new Promise(setImmediate);
    // The row was read; now it is revoked, and the relay hears of it before the row arrives.
    store.stored = { ...agent, revokedAt: 1 };
    credentials.onChange({ kind: 'agent_revoked', agent: 'office' });
    for (const read of store.reads) read();
    await verifying.catch(() => undefined);
    assert.equal(credentials.isRevoked('office'), true);
  });
});

describe('guesses at enrollment tokens', () => {
  it('cost the database nothing', async () => {
    const store = new SlowStore();
    const mint = createMint(Buffer.alloc(32, 1));
    const refused: string[] = [];
    const enrollment = createEnrollment({
      store,
      keys,
      mint,
      isConfigured: () => true,
      audit: { append: ({ id }) => Promise.resolve({ id, log: '', index: 0, leafHash: '' }) },
      strangers: { refused: (reason) => refused.push(reason) },
      clock: Date.now,
    });
    const caller = { address: '192.0.2.1', userAgent: undefined };
    const publicKey = publicJwkOf(key.publicKey);
    const foreign = createMint(Buffer.alloc(32, 2)).mint();
    for (const token of ['guess', 'a'.repeat(64), foreign])
      await assert.rejects(enrollment.enroll({ token, name: 'office', publicKey }, caller), /not valid for this agent/);
    assert.equal(store.asked, 0);
    assert.equal(refused.length, 3);
    await assert.rejects(enrollment.enroll({ token: mint.mint(), name: 'office', publicKey }, caller));
    assert.equal(store.asked, 1, 'its twin: one that was ours');
  });
});

describe('an e-mail address', () => {
  const emailOf = (email: string) =>
    profileOf('https://p.test', 's', [{ email, email_verified: true }], 'groups').email;

  it('does not become another in lower case', () => {
    assert.equal(emailOf('Kim@example.com'), 'kim@example.com');
    assert.equal(emailOf('\u212Aim@example.com'), undefined, 'the Kelvin sign');
    assert.equal(emailOf('\u00C4nne@example.com'), '\u00E4nne@example.com');
  });
});

describe('a search of the log', () => {
  it('looks for a bounded number of terms, since appends wait for it', () => {
    assert.equal(parseAuditQuery(Array(24).fill('a').join(' '), 0).words.length, 24);
    assert.throws(() => parseAuditQuery(Array(400).fill('a').join(' '), 0), /at most 24 terms/);
    assert.throws(() => parseAuditQuery(Array(100).fill('who:a').join(' '), 0), /at most 24 terms/);
  });
});
