import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { randomToken } from '../../src/lib/bytes.ts';
import { signToken, type TokenContent, verifyToken } from '../../src/token/jwt.ts';
import { generateSigningKey, publicJwkOf, publicKeyFromJwk, type SigningKey } from '../../src/token/key.ts';
import { resource } from '../domain/resource.ts';
import { KINDS, startDatabases, temporaryDirectory } from '../store/databases.ts';
import { type Answer, Browser } from './browser.ts';
import { startHostileProvider } from './hostile-provider.ts';
import { CLIENT_SECRET, startRelay, type TestRelay } from './relay.ts';

const AN_ADMIN = {
  principal: 'an-admin',
  session: 'a-session',
  facts: 'facts',
  personal: { email: 'root@example.com' },
};

for (const kind of KINDS) {
  describe(`agents on ${kind}`, () => {
    const undo = new AsyncDisposableStack();
    let relay: TestRelay;

    before(async () => {
      const databases = undo.use(await startDatabases(kind));
      const store = undo.use(await databases.open('agents'));
      const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
      relay = undo.use(await startRelay(store, async () => provider.issuer));
    });
    after(() => undo.disposeAsync());

    const post = (path: string, value: unknown): Promise<Answer> =>
      new Browser().send(`${relay.origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(value),
      });

    function enroll(token: string, key: SigningKey, name = 'office'): Promise<Answer> {
      return post('/api/v1/agents/enroll', { token, name, publicKey: publicJwkOf(key.publicKey) });
    }

    async function enrolled(): Promise<SigningKey> {
      const key = generateSigningKey();
      const { token } = await relay.identity.enrollment.createToken('office');
      assert.equal((await enroll(token, key)).status, 200);
      return key;
    }

    function assertion(key: SigningKey, more: Partial<TokenContent> = {}, jti = randomToken(16), at = Date.now()) {
      return signToken(
        key,
        {
          type: 'postern-client-assertion+jwt',
          issuer: 'office',
          subject: 'office',
          audience: relay.origin,
          lifeSeconds: 60,
          claims: {},
          ...more,
        },
        jti,
        at,
      );
    }

    const credential = async (text: string) => post('/api/v1/agents/credential', { assertion: text });

    test('no key is bound without its record; the token waits for the log', async () => {
      const { token } = await relay.identity.enrollment.createToken('lab');
      const key = generateSigningKey();
      relay.auditDown = true;
      assert.equal((await enroll(token, key, 'lab')).status, 503);
      relay.auditDown = false;
      assert.ok(!(await relay.identity.enrollment.list()).some(({ name }) => name === 'lab'));
      assert.equal((await enroll(token, key, 'lab')).status, 200, 'its twin: the log is back');
      const kinds = relay.events
        .filter((event) => 'agent' in event && event.agent === 'lab')
        .map((event) => event.kind);
      assert.deepEqual(kinds, ['agent.token_created', 'agent.enrolled']);
    });

    test('a token enrolls once; two at once enroll one', async () => {
      const { token } = await relay.identity.enrollment.createToken('office');
      const keys = [generateSigningKey(), generateSigningKey()] as const;
      const answers = await Promise.all(keys.map((key) => enroll(token, key)));
      assert.deepEqual(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        [200, 403],
      );
      const winner = keys[answers[0]?.status === 200 ? 0 : 1];
      const loser = keys[answers[0]?.status === 200 ? 1 : 0];
      assert.equal((await credential(await assertion(winner))).status, 200);
      assert.equal((await credential(await assertion(loser))).status, 403);
      const body = JSON.parse(answers.find(({ status }) => status === 200)?.body ?? '') as {
        agent: string;
        relayKeys: unknown;
      };
      assert.equal(body.agent, 'office');
      const { kid, publicKey } = relay.identity.keys.current;
      assert.deepEqual(body.relayKeys, { keys: [{ ...publicJwkOf(publicKey), kid }] });
    });

    test('unknown, used, expired and foreign tokens get one same answer', async () => {
      const key = generateSigningKey();
      const used = await relay.identity.enrollment.createToken('office');
      await enroll(used.token, key);
      const foreign = await relay.identity.enrollment.createToken('lab');
      const expired = await relay.identity.enrollment.createToken('office');
      const answers = [
        await enroll('unknown', key),
        await enroll(used.token, key),
        await enroll(foreign.token, key, 'office'),
        await enroll(foreign.token, key, 'nobody'),
      ];
      relay.skewMs = 3_600_001;
      answers.push(await enroll(expired.token, key));
      relay.skewMs = 0;
      const shapes = answers.map(({ status, body }) => ({ status, ...JSON.parse(body), reference: '' }));
      for (const shape of shapes) assert.deepEqual(shape, shapes[0]);
      assert.equal(shapes[0]?.status, 403);
      assert.equal((await enroll(foreign.token, key, 'lab')).status, 200, 'its twin, at the right name');
      assert.ok(relay.events.some(({ kind: what }) => what === 'agent.enrollment_refused'));
    });

    test('a key that is none is refused, and does not use up the token', async () => {
      const { token } = await relay.identity.enrollment.createToken('office');
      for (const publicKey of [
        { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) },
        { kty: 'OKP', crv: 'Ed25519', x: 'short' },
        { kty: 'RSA', n: 'x', e: 'AQAB' },
        {},
      ]) {
        assert.equal((await post('/api/v1/agents/enroll', { token, name: 'office', publicKey })).status, 400);
      }
      assert.equal((await enroll(token, generateSigningKey())).status, 200);
    });

    test('an assertion buys a credential bound to the key', async () => {
      const key = await enrolled();
      const answer = await credential(await assertion(key));
      const issued = JSON.parse(answer.body) as { credential: string; expiresAt: number };
      const verified = await relay.identity.credentials.verify(issued.credential);
      assert.equal(verified.agent, 'office');
      assert.equal(verified.keyThumbprint, key.kid);
      assert.equal(verified.expiresAt, issued.expiresAt);
      assert.ok(Math.abs(issued.expiresAt - Date.now() - 600_000) < 5_000);
      const renewed = await relay.identity.credentials.renew('office', key.kid);
      assert.notEqual((await relay.identity.credentials.verify(renewed.credential)).jti, verified.jti);
    });

    test('whatever is not a fresh assertion of this agent for this relay is refused, with the time here', async () => {
      const key = await enrolled();
      const stranger = generateSigningKey();
      const replayed = await assertion(key);
      assert.equal((await credential(replayed)).status, 200);
      const minutes = 60_000;
      const refused: Record<string, string> = {
        replayed,
        'the same id again': await assertion(key, { claims: { n: 1 } }, jtiOf(replayed)),
        'another key': await assertion(stranger),
        'another key under this name': await assertion({ ...stranger, kid: key.kid }),
        'another audience': await assertion(key, { audience: 'https://other.example' }),
        'audience with a slash': await assertion(key, { audience: `${relay.origin}/` }),
        'another issuer': await assertion(key, { issuer: 'lab' }),
        'another subject': await assertion(key, { subject: 'lab' }),
        'a subject that is not enrolled': await assertion(key, { issuer: 'nobody', subject: 'nobody' }),
        'another type': await assertion(key, { type: 'postern-tunnel-proof+jwt' }),
        expired: await assertion(key, {}, randomToken(16), Date.now() - 4 * minutes),
        'from the future': await assertion(key, {}, randomToken(16), Date.now() + 4 * minutes),
        'with too long a life': await assertion(key, { lifeSeconds: 3_600 }),
        'with an endless id': await assertion(key, {}, 'x'.repeat(200)),
        'no token': 'x.y.z',
        'a device credential': (await relay.identity.credentials.renew('office', key.kid)).credential,
      };
      const details = new Set<string>();
      for (const [what, text] of Object.entries(refused)) {
        const { status, body } = await credential(text);
        assert.equal(status, 403, what);
        const problem = JSON.parse(body) as { code: string; detail: string; now: number };
        assert.equal(problem.code, 'credential_refused', what);
        details.add(problem.detail);
        assert.ok(Math.abs(problem.now - Date.now()) < 5_000, what);
      }
      assert.equal(details.size, 1, 'a stranger does not learn which agents exist');
      // Clocks a little apart are no reason.
      for (const skew of [-50_000, 50_000]) {
        assert.equal((await credential(await assertion(key, {}, randomToken(16), Date.now() + skew))).status, 200);
      }
    });

    test('a credential of another relay, another type or another time is refused', async () => {
      const key = await enrolled();
      const { keys, credentials } = relay.identity;
      const content: TokenContent = {
        type: 'postern-device+jwt',
        issuer: relay.origin,
        audience: relay.origin,
        subject: 'office',
        lifeSeconds: 600,
        claims: { cnf: { jkt: key.kid } },
      };
      const sign = (more: Partial<TokenContent>, at = Date.now(), by = keys.current) =>
        signToken(by, { ...content, ...more }, 'jti', at);
      assert.equal((await credentials.verify(await sign({}))).agent, 'office', 'the honest twin');
      for (const text of [
        await sign({ audience: 'https://other.example' }),
        await sign({ issuer: 'https://other.example' }),
        await sign({ type: 'postern-receipt+jwt' }),
        await sign({ subject: 'lab' }),
        await sign({ claims: { cnf: { jkt: generateSigningKey().kid } } }),
        await sign({ claims: {} }),
        await sign({ claims: { cnf: 'x' } }),
        await sign({}, Date.now() - 601_000),
        await sign({}, Date.now(), generateSigningKey()),
        await sign({}, Date.now(), { ...generateSigningKey(), kid: keys.current.kid }),
        `${await sign({})}x`,
        '',
      ]) {
        await assert.rejects(credentials.verify(text), { code: 'credential_refused' });
      }
    });

    test('a revoked agent gets nothing more, at once; a new token brings it back', async () => {
      const key = await enrolled();
      const before = await relay.identity.credentials.renew('office', key.kid);
      const waiting = await relay.identity.enrollment.createToken('office');
      assert.ok(await relay.identity.enrollment.revoke('office', AN_ADMIN));
      relay.identity.onChange({ kind: 'agent_revoked', agent: 'office' });
      assert.ok(relay.identity.credentials.isRevoked('office'));
      await assert.rejects(relay.identity.credentials.verify(before.credential), { code: 'credential_refused' });
      await assert.rejects(relay.identity.credentials.renew('office', key.kid), { code: 'credential_refused' });
      assert.equal((await credential(await assertion(key))).status, 403);
      assert.equal((await enroll(waiting.token, key)).status, 403, 'its waiting tokens went with it');
      assert.equal(await relay.identity.enrollment.revoke('office', AN_ADMIN), false);
      const again = await enrolled();
      assert.equal((await credential(await assertion(again))).status, 200);
    });

    test('a new key takes the place of the old one', async () => {
      const old = await enrolled();
      const { credential: text } = await relay.identity.credentials.renew('office', old.kid);
      await enrolled();
      await assert.rejects(relay.identity.credentials.verify(text), { code: 'credential_refused' });
      assert.equal((await credential(await assertion(old))).status, 403);
    });

    test('the token file is offered until the agent has enrolled', async () => {
      await using directory = await temporaryDirectory();
      const file = join(directory.path, 'sub', 'office.token');
      assert.equal(await relay.identity.offerEnrollment('office', file), false, 'it has enrolled already');
      assert.ok(await relay.identity.offerEnrollment('shed', file));
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal((await enroll(readFileSync(file, 'utf8').trim(), generateSigningKey(), 'shed')).status, 200);
      assert.equal(await relay.identity.offerEnrollment('shed', file), false);
    });

    test('receipts and assertions verify with the published keys', async () => {
      const { keys } = JSON.parse((await new Browser().send(`${relay.origin}/.well-known/jwks.json`)).body) as {
        keys: { kty: 'OKP'; crv: 'Ed25519'; x: string; kid: string; d?: string }[];
      };
      assert.ok(keys.every(({ d }) => d === undefined));
      const session = {
        id: 's1',
        principal: {
          id: 'p1',
          kind: 'person' as const,
          issuer: 'i',
          subject: 'alice',
          email: 'alice@example.com',
          boundEmail: undefined,
          name: 'Alice',
          groups: ['employees'],
        },
        factsHash: '',
        signedInAt: 0,
        method: 'oidc' as const,
        amr: [],
        expiresAt: 0,
        epoch: 1,
      };
      const wiki = resource('wiki', { origin: relay.appOrigin('wiki'), origins: [relay.appOrigin('wiki')] });
      const verify = (text: string, type: TokenContent['type'], audience: string) =>
        verifyToken(text, {
          type,
          issuer: relay.origin,
          audience,
          findKey: (kid) => {
            const key = keys.find((one) => one.kid === kid);
            return key && publicKeyFromJwk(key);
          },
          maxAgeSeconds: 60,
          toleranceSeconds: 0,
          nowMs: Date.now(),
        });

      const { assertions, receipts } = relay.identity;
      const text = await assertions.issue({ session, via: 'cookie' }, wiki);
      assert.equal(await assertions.issue({ session, via: 'cookie' }, wiki), text, 'reused while it lives');
      const claims = await verify(text, 'postern-assertion+jwt', wiki.origin);
      assert.equal(claims.sub, 'p1');
      assert.equal(claims['email'], 'alice@example.com');
      assert.deepEqual(claims['groups'], ['employees']);
      assert.equal(claims['sid'], 's1');
      const changed = { ...session, epoch: 2, principal: { ...session.principal, groups: [] } };
      assert.notEqual(await assertions.issue({ session: changed, via: 'cookie' }, wiki), text);
      await assert.rejects(verify(text, 'postern-assertion+jwt', relay.appOrigin('metrics')), {
        code: 'token_invalid',
      });
      relay.skewMs = 31_000;
      assert.notEqual(await assertions.issue({ session, via: 'cookie' }, wiki), text, 'less than 30 s are left');
      relay.skewMs = 0;

      const more = { agent: 'office', tunnel: 't', stream: '1', intent: 'i1', leafHash: 'aa' };
      const receipt = await verify(
        await receipts.issue({ ...more, session, resource: wiki }),
        'postern-receipt+jwt',
        'office',
      );
      assert.equal(receipt.sub, 'wiki');
      assert.equal(receipt['relay'], 'relay-1');
      assert.equal(receipt['intent'], 'i1');
      assert.ok(Math.abs(Number(receipt['openBefore']) - Date.now() - 10_000) < 5_000);
    });
  });
}

function jtiOf(text: string): string {
  return (JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()) as { jti: string }).jti;
}
