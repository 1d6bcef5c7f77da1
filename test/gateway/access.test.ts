import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAlice, createWorld, HOST } from './world.ts';

describe('the door', () => {
  it('records the intent before the target sees a byte, and the outcome after', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    const answer = await world.get('/a/b?q=x&token=secret', { ...asAlice, 'User-Agent': 'test' });
    assert.equal(answer.status, 200);
    assert.equal(answer.body, 'hello');
    assert.equal(world.seen[0]?.intentsBefore, 1);
    const [intent] = world.audit.intents;
    assert.equal(intent?.effect, 'allow');
    assert.equal(intent?.personal?.path, '/a/b');
    assert.match(intent?.personal?.query ?? '', /^q=x&token=~[0-9a-f]{16}$/);
    assert.equal(intent?.personal?.email, 'alice@example.com');
    assert.equal(intent?.tunnel, 'tunnel-1');
    assert.equal(intent?.ordinal, 1);
    const outcome = await world.audit.outcomeOf(0);
    assert.equal(outcome.end, 'completed');
    assert.equal(outcome.status, 200);
    assert.equal(outcome.bytesDown, 5);
    assert.equal(world.streams[0]?.receipt, `session-alice ${intent?.id} ${intent?.stream}`);
  });

  it('forwards nothing while the intent is not durable', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    world.audit.held = [];
    const answer = world.get('/', asAlice);
    const [land] = await world.audit.until(() => (world.audit.held?.length ? world.audit.held : undefined));
    assert.equal(world.seen.length, 0);
    assert.equal(world.streams.length, 0);
    world.audit.held = undefined;
    land?.();
    assert.equal((await answer).status, 200);
  });

  it('answers 503 and forwards nothing when the log cannot be written, and recovers', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    world.audit.failing = true;
    const answer = await world.get('/', asAlice);
    assert.equal(answer.status, 503);
    assert.equal(JSON.parse(answer.body).code, 'audit_unavailable');
    assert.equal(world.seen.length + world.streams.length, 0);
    world.decide = () => ({ effect: 'deny' });
    assert.equal((await world.get('/', asAlice)).status, 503, 'a denial is recorded first, too');
    world.decide = () => ({});
    world.audit.failing = false;
    assert.equal((await world.get('/', asAlice)).status, 200);
  });

  it('shows the denied person the sentence, whom to ask and the reference, never the rule', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    world.decide = () => ({ effect: 'deny', reasons: ['rule_denied'], message: 'Ask <HR> first.' });
    const page = await world.get('/', { ...asAlice, 'Sec-Fetch-Mode': 'navigate' });
    assert.equal(page.status, 403);
    assert.match(page.body, /Ask &lt;HR&gt; first\./);
    assert.match(page.body, /it@example\.com/);
    assert.match(page.body, /signed in as <strong>alice@example\.com</);
    const [intent] = world.audit.intents;
    assert.equal(intent?.effect, 'deny');
    assert.equal(intent?.rule, 'rule-17');
    assert.match(page.body, new RegExp(intent?.id ?? 'none'));
    assert.doesNotMatch(page.body, /rule-17|rule_denied|<script/);
    assert.match(String(page.headers['content-security-policy']), /default-src 'none'; style-src 'sha256-/);
    const json = await world.get('/', asAlice);
    assert.deepEqual(Object.keys(JSON.parse(json.body)), ['code', 'message', 'contact', 'reference']);
    assert.equal(world.seen.length + world.streams.length, 0);
    assert.equal(world.audit.outcomes.length, 0);
  });

  it('sends navigations to sign-in and answers everything else 401, alike for unknown hosts', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    for (const host of [HOST, 'nobody.test']) {
      const page = await world.get('/x?y', { Host: host, 'Sec-Fetch-Mode': 'navigate' });
      assert.equal(page.status, 303);
      assert.equal(page.headers.location, `http://relay.test/hand-off?host=${host}&to=/x?y`);
      assert.deepEqual(page.headers['set-cookie'], ['f=1']);
      const old = await world.get('/', { Host: host, Accept: 'text/html,*/*' });
      assert.equal(old.status, 303);
      const fetched = await world.get('/', { Host: host, Accept: 'text/html', 'Sec-Fetch-Mode': 'cors' });
      assert.equal(fetched.status, 401);
      const { code, signIn } = JSON.parse(fetched.body) as { code: string; signIn: string };
      assert.equal(code, 'unauthenticated');
      assert.equal(signIn, `http://${host}/`);
      const unknown = await world.get('/', { Host: host, Cookie: '__Host-postern-session=nobody' });
      assert.equal(unknown.status, 401);
    }
    assert.equal(world.audit.events.length, 0);
  });

  it('takes a token in either header, and never two identities', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    assert.equal((await world.get('/', { 'Postern-Token': 'pst_alice' })).status, 200);
    assert.equal((await world.get('/', { Authorization: 'Bearer pst_alice' })).status, 200);
    assert.equal(world.audit.intents[1]?.via, 'token');
    assert.equal((await world.get('/', { 'Postern-Token': 'alice' })).status, 401);
    assert.equal((await world.get('/', { ...asAlice, 'Postern-Token': 'pst_alice' })).status, 400);
    const two = { 'Postern-Token': 'pst_alice', Authorization: 'Bearer pst_alice' };
    assert.equal((await world.get('/', two)).status, 400);
    assert.equal(world.seen.length, 2);
  });

  it('takes unsafe methods with a cookie only from the own or a listed origin', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    world.resource({ corsOrigins: ['https://other.test'] });
    const post = async (headers: Record<string, string>) => (await world.get('/', headers, 'POST')).status;
    assert.equal(await post({ ...asAlice, Origin: world.origin }), 200);
    assert.equal(await post({ ...asAlice, Origin: 'https://other.test' }), 200);
    assert.equal(await post({ ...asAlice, 'Sec-Fetch-Site': 'same-origin' }), 200);
    assert.equal(await post({ ...asAlice, 'Sec-Fetch-Site': 'none' }), 200);
    assert.equal(await post({ ...asAlice, Origin: 'null', 'Sec-Fetch-Site': 'same-origin' }), 200);
    assert.equal(await post({ 'Postern-Token': 'pst_alice' }), 200);
    const allowed = world.seen.length;
    for (const headers of [
      {},
      { Origin: 'http://evil.wiki.test' },
      { Origin: `${world.origin}:81` },
      { Origin: 'null' },
      { Origin: 'null', 'Sec-Fetch-Site': 'none' },
      { Origin: 'http://evil.test', 'Sec-Fetch-Site': 'same-origin' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site' },
    ]) {
      assert.equal(await post({ ...asAlice, ...headers }), 403, JSON.stringify(headers));
    }
    assert.equal((await world.get('/', { ...asAlice, 'Sec-Fetch-Site': 'cross-site' })).status, 200);
    assert.equal(world.seen.length, allowed + 1);
  });

  it('keeps /.postern/ for itself', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    const redeemed = await world.get('/.postern/redeem?code=good');
    assert.equal(redeemed.status, 303);
    assert.equal(redeemed.headers.location, '/back');
    assert.equal(redeemed.headers['referrer-policy'], 'no-referrer');
    assert.equal(redeemed.headers['cache-control'], 'no-store');
    assert.deepEqual(redeemed.headers['set-cookie'], ['s=1', 'f=']);
    assert.equal((await world.get('/.postern/redeem?code=bad')).status, 400);
    for (const path of ['/.postern', '/.postern/', '/.postern/x', '/%2epostern/x']) {
      assert.equal((await world.get(path, asAlice)).status, 404, path);
    }
    assert.equal((await world.get('/.postern-not', asAlice)).status, 200);
  });

  it('says which of target, agent and pool is missing', async () => {
    await using world = await createWorld((_req, res) => res.end('hello'));
    world.dialPort = 1;
    const unreachable = await world.get('/', asAlice);
    assert.equal(unreachable.status, 502);
    assert.equal((await world.audit.outcomeOf(0)).end, 'target_unreachable');
    assert.equal(JSON.parse(unreachable.body).reference, world.audit.intents[0]?.id);
    world.tunnel = undefined;
    const noAgent = await world.get('/', { ...asAlice, Accept: 'text/html' });
    assert.equal(noAgent.status, 503);
    assert.match(noAgent.body, /No agent/);
    const intent = world.audit.intents[1];
    assert.ok(intent && noAgent.body.includes(intent.id), 'the reference finds a record');
    assert.equal(intent.effect, 'allow');
    assert.equal(intent.stream, undefined);
    assert.equal((await world.audit.outcomeOf(1)).end, 'not_forwarded');
  });
});
