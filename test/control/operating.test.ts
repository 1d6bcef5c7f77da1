import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stringify } from 'yaml';
import { listServices } from '../../src/client/services.ts';
import type { AccessList } from '../../src/control/contract/accesses.ts';
import type { AgentList } from '../../src/control/contract/agents.ts';
import type { AuditEntryPage } from '../../src/control/contract/audit.ts';
import type { ConfigurationState } from '../../src/control/contract/configuration.ts';
import type { Me } from '../../src/control/contract/me.ts';
import type { PolicyRules, PolicyState } from '../../src/control/contract/policy.ts';
import type { ResourceList } from '../../src/control/contract/resources.ts';
import type { SessionList } from '../../src/control/contract/sessions.ts';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { Secret } from '../../src/lib/secret.ts';
import { eventually } from '../eventually.ts';
import { CLIENT_SECRET, ourPage, startWholeRelay, type WholeRelay } from './whole-relay.ts';

describe('Operating a relay through its API', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  let whole: WholeRelay;
  let root: string;
  let olga: string;
  let alice: string;
  before(async () => {
    whole = undo.use(await startWholeRelay({ agents: ['panel', 'yard'] }));
    root = await whole.signIn('root', ['admins']);
    olga = await whole.signIn('olga', ['security']);
    alice = await whole.signIn('alice', ['employees']);
  });
  after(() => undo.disposeAsync());

  const get = async <T>(path: string, cookie: string): Promise<T> => {
    const answer = await whole.ask(path, { headers: { cookie } });
    assert.equal(answer.status, 200, `${path}: ${answer.body}`);
    return JSON.parse(answer.body) as T;
  };
  const change = (method: string, path: string, cookie: string, body: object = {}) =>
    whole.ask(path, { method, headers: { cookie, ...ourPage(whole.origin) }, body: JSON.stringify(body) });

  it('shows the configuration in force, and no secret of it', async () => {
    const answer = await whole.ask('/api/v1/configuration', { headers: { cookie: root } });
    const { relay, hash, loadedAt, effective } = JSON.parse(answer.body) as ConfigurationState;
    assert.equal(relay, 'relay-1');
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.ok(Math.abs(Date.now() - loadedAt) < 120_000);
    const { provider, databaseUrl } = effective as { provider: Record<string, unknown>; databaseUrl: unknown };
    assert.equal(provider['issuer'], whole.provider.issuer);
    assert.deepEqual([provider['clientSecret'], databaseUrl], ['[secret]', '[secret]']);
    assert.ok(!answer.body.includes(CLIENT_SECRET) && !answer.body.includes('postgresql://'));
    const log = await get<AuditEntryPage>('/api/v1/audit/entries?query=kind:configuration.loaded', root);
    assert.equal((log.entries[0]?.event as { hash?: string } | undefined)?.hash, hash, 'the log names the same');
  });

  it('says who one is, until when and at which relay, and what one may reach', async () => {
    const me = await get<Me>('/api/v1/me', alice);
    assert.deepEqual([me.person.email, me.person.groups, me.roles], ['alice@example.com', ['employees'], []]);
    assert.equal(me.relay.id, 'relay-1');
    assert.match(me.relay.version, /^\d+\.\d+\.\d+/);
    assert.ok(me.session.expiresAt > Date.now());
    const { resources } = await get<ResourceList>('/api/v1/resources', alice);
    assert.deepEqual(
      resources.map(({ name, protocol, url, owner }) => [name, protocol, url, owner]),
      [
        ['echo', 'http', `${whole.app('echo')}/`, null],
        ['wiki', 'http', `${whole.app('wiki')}/`, null],
      ],
    );
  });

  it('shows the policy in force, a refused change with its problems, and the next good one', async () => {
    const first = await get<PolicyState>('/api/v1/policy', olga);
    assert.deepEqual([first.rules, first.refusal], [1, null]);
    const write = (text: string) => writeFileSync(join(whole.policyDirectory, 'rules.yaml'), text);
    const rule = (id: string) => ({
      id,
      effect: 'allow',
      who: ['anyone-signed-in'],
      what: ['resource:wiki', 'resource:echo'],
    });
    const settled = () =>
      eventually(async () => {
        const state = await get<PolicyState>('/api/v1/policy', olga);
        return state.refusal ? undefined : state;
      });

    write('rules:\n  - id: broken\n    effect: perhaps\n');
    const refused = await eventually(async () => {
      const state = await get<PolicyState>('/api/v1/policy', olga);
      return state.refusal ? state : undefined;
    });
    assert.equal(refused.version, first.version, 'the old one stays');
    assert.match(refused.refusal?.problems[0] ?? '', /rules\.yaml:\d+:\d+: /);

    write(stringify({ rules: [rule('everybody-uses-it')] }));
    assert.equal((await settled()).version, first.version, 'taken back');

    const groups = { oncall: ['provider:sre'] };
    const third = { ...rule('third'), what: ['any-resource'], destinations: ['db1.lan:5432'] };
    write(stringify({ rules: [rule('everybody-uses-it'), { ...rule('second'), methods: ['GET'] }, third], groups }));
    const second = await eventually(async () => {
      const state = await get<PolicyState>('/api/v1/policy', olga);
      return state.version === first.version ? undefined : state;
    });
    assert.equal(second.refusal, null);
    const rules = await get<PolicyRules>('/api/v1/policy/rules', olga);
    assert.equal(rules.version, second.version);
    assert.deepEqual(
      rules.rules.map(({ id, methods, paths, destinations }) => ({ id, methods, paths, destinations })),
      [
        { id: 'everybody-uses-it', methods: null, paths: null, destinations: null },
        { id: 'second', methods: ['GET'], paths: null, destinations: null },
        { id: 'third', methods: null, paths: null, destinations: ['db1.lan:5432'] },
      ],
    );
    assert.deepEqual(rules.groups, [{ name: 'oncall', members: ['provider:sre'] }]);
  });

  it('pages through everyone’s sessions once, and ends one', async () => {
    for (let n = 0; n < 3; n += 1) await whole.signIn(`guest-${n}`, []);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: SessionList = await get(`/api/v1/sessions?of=everyone&limit=2${cursor && `&before=${cursor}`}`, olga);
      seen.push(...page.sessions.map(({ id }) => id));
      assert.ok(page.sessions.length <= 2);
      cursor = page.next;
    }
    assert.deepEqual(seen, [...new Set(seen)].toSorted().toReversed());
    assert.ok(seen.length >= 6);
    const own = await get<SessionList>('/api/v1/sessions', alice);
    assert.deepEqual(
      own.sessions.map(({ current }) => current),
      [true],
    );
    const guest = seen[0] ?? '';
    assert.equal((await change('DELETE', `/api/v1/sessions/${guest}`, alice)).status, 404, 'not alice’s to end');
    assert.equal((await change('DELETE', `/api/v1/sessions/${guest}`, olga)).status, 200);
    assert.equal((await change('DELETE', `/api/v1/sessions/${guest}`, olga)).status, 404, 'it has ended');
    const [ended] = (await get<AuditEntryPage>(`/api/v1/audit/entries?query=kind:session.ended`, root)).entries;
    assert.deepEqual([ended?.row.person?.email, ended?.event.session], ['guest-2@example.com', guest]);
  });

  it('pages through agents and services by name, each once; the command line reads every page', async () => {
    // Such as languages sort differently.
    const services = ['a-b', 'ab', 'a-c', 'b0', ...Array.from({ length: 100 }, (_, n) => `service-${n}`)];
    for (const name of services)
      assert.equal((await change('POST', '/api/v1/services', root, { name, owner: 'test' })).status, 200, name);
    const walk = async (kind: 'agents' | 'services', limit: number): Promise<string[]> => {
      const seen: string[] = [];
      for (let after = ''; ; ) {
        const path = `/api/v1/${kind}?limit=${limit}${after}`;
        const page = await get<Record<string, { name: string }[]> & { next: string | null }>(path, olga);
        const names = (page[kind] ?? assert.fail(`no ${kind}`)).map(({ name }) => name);
        assert.ok(names.length <= limit);
        seen.push(...names);
        if (page.next === null) return seen;
        after = `&after=${page.next}`;
      }
    };
    assert.deepEqual(await walk('agents', 2), ['office', 'panel', 'yard']);
    for (const limit of [1, 26, 104]) assert.deepEqual((await walk('services', limit)).toSorted(), services.toSorted());
    const token = new Secret(await whole.issueToken(olga));
    const credential = { relay: whole.origin, token, expiresAt: Date.now() + 600_000, person: 'olga' };
    const listed = await listServices(credential, AbortSignal.timeout(30_000));
    assert.deepEqual(listed.map(({ name }) => name).toSorted(), services.toSorted());
  });

  it('shows an agent’s tunnel, and cuts one live access on record', async () => {
    const answers: ServerResponse[] = [];
    const target = createServer((_request: IncomingMessage, response) => {
      answers.push(response);
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: first\n\n');
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    undo.defer(() => {
      target.closeAllConnections();
      target.close();
    });

    await whole.startAgent({ wiki: `http://127.0.0.1:${(target.address() as AddressInfo).port}` }, root);
    const agent = (await get<AgentList>('/api/v1/agents', olga)).agents[0] ?? assert.fail('no agent');
    assert.deepEqual(agent.tunnels[0]?.resources, ['wiki']);
    assert.deepEqual([agent.name, agent.configured, agent.revokedAt], ['office', true, null]);
    assert.ok(agent.enrolledAt !== null && agent.keyThumbprint !== null);
    const [made] = (await get<AuditEntryPage>('/api/v1/audit/entries?query=kind:agent.token_created', root)).entries;
    assert.deepEqual(
      [made?.row.person?.email, made?.row.summary],
      ['root@example.com', 'Enrollment token created for office'],
    );

    const token = await whole.tokenFor('wiki', alice);
    const opened = httpRequest(`${whole.app('wiki')}/events`, {
      agent: false,
      lookup: lookupWithLocalhost,
      headers: { 'postern-token': token },
    });
    opened.end();
    const [answer] = (await once(opened, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    const broken = new Promise((resolve) => answer.once('error', resolve).once('aborted', () => resolve(undefined)));
    answer.resume();

    const { accesses, next } = await get<AccessList>('/api/v1/accesses', olga);
    assert.equal(next, null);
    const [live] = accesses;
    assert.deepEqual([live?.person.email, live?.resource, live?.agent], ['alice@example.com', 'wiki', 'office']);
    const { id } = live ?? assert.fail('nothing is live');
    const reason = { reason: 'The laptop was stolen.' };
    assert.equal((await change('POST', `/api/v1/accesses/${id}/terminate`, alice, reason)).status, 403);
    assert.equal(
      (await change('POST', `/api/v1/accesses/${id}/terminate`, olga, {})).status,
      400,
      'not without a reason',
    );
    assert.equal((await get<AccessList>('/api/v1/accesses', olga)).accesses.length, 1, 'it still runs');

    assert.equal((await change('POST', `/api/v1/accesses/${id}/terminate`, olga, reason)).status, 200);
    await broken;
    assert.equal(answer.complete, false, 'the client sees a broken transfer');
    if (answers[0]?.destroyed === false) await once(answers[0], 'close');
    assert.deepEqual((await get<AccessList>('/api/v1/accesses', olga)).accesses, []);
    assert.equal((await change('POST', `/api/v1/accesses/${id}/terminate`, olga, reason)).status, 404, 'it has ended');

    const [cut] = (await get<AuditEntryPage>('/api/v1/audit/entries?query=kind:access.terminated', root)).entries;
    assert.ok(cut?.event.kind === 'access.terminated');
    assert.equal(cut.event.intent, id);
    assert.deepEqual([cut.event.personal?.note, cut.event.personal?.email], [reason.reason, 'olga@example.com']);
    const outcome = await eventually(async () => {
      const { entries } = await get<AuditEntryPage>(`/api/v1/audit/entries?query=id:${id}`, root);
      return entries[0]?.outcome ?? undefined;
    });
    assert.deepEqual([outcome.end, outcome.reason], ['terminated', 'access_terminated']);
  });
});
