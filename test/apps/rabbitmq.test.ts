import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Chromium, startChromium } from '../e2e/chromium.ts';
import { signInCommandLine } from '../e2e/command-line.ts';
import { startWorld, type World } from '../e2e/world.ts';
import { Browser } from '../identity/browser.ts';
import { missing } from './missing.ts';
import { RABBITMQ_FILES, type RabbitMq, startRabbitMq } from './rabbitmq-server.ts';
import { tokenFor } from './token.ts';

const toEmployees = () => ({ effect: 'allow', who: ['provider:employees'] });
/** The same RabbitMQ three times: without path rules, with and `paths: lenient`, with and not. */
const POLICY = {
  rules: [
    { ...toEmployees(), id: 'all', what: ['resource:free'] },
    { ...toEmployees(), id: 'api', what: ['resource:lenient', 'resource:strict'], paths: ['/api/**'] },
    {
      id: 'no-payroll',
      effect: 'deny',
      who: ['anyone-signed-in'],
      what: ['resource:lenient'],
      paths: ['/api/queues/*/payroll/**'],
    },
  ],
};
/** RabbitMQ's own, of its user `guest`. */
const AUTHORIZATION = `Basic ${Buffer.from('guest:guest').toString('base64')}`;

describe('RabbitMQ’s API, whose paths hold %2F', { skip: missing(RABBITMQ_FILES, 'rabbitmq-server') }, () => {
  const held = new AsyncDisposableStack();
  let rabbit: RabbitMq;
  let world: World;
  let chromium: Chromium;

  before(async () => {
    chromium = held.use(await startChromium());
    rabbit = held.use(await startRabbitMq());
    const resources = {
      free: rabbit.target,
      lenient: { target: rabbit.target, paths: 'lenient' },
      strict: rabbit.target,
    };
    world = held.use(await startWorld({ database: 'embedded', resources, policy: POLICY }));
  });
  after(() => held.disposeAsync());

  /** The API as a program of this person uses it. */
  async function apiOf(name: string, resource: string) {
    const token = await tokenFor(world, await chromium.person(), name, resource);
    return (method: string, path: string, value?: unknown) =>
      new Browser().send(world.origin(resource) + path, {
        method,
        headers: { 'postern-token': token, authorization: AUTHORIZATION, 'content-type': 'application/json' },
        ...(value === undefined ? {} : { body: JSON.stringify(value) }),
      });
  }

  for (const resource of ['free', 'lenient'])
    test(`a message through a queue of the virtual host "/" (${resource})`, async () => {
      const api = await apiOf('alice', resource);
      const queue = `/api/queues/%2F/story-${resource}`;
      assert.equal((await api('PUT', queue, {})).status, 201);
      const message = {
        properties: {},
        routing_key: `story-${resource}`,
        payload: 'hello',
        payload_encoding: 'string',
      };
      const published = await api('POST', '/api/exchanges/%2F/amq.default/publish', message);
      assert.deepEqual(JSON.parse(published.body), { routed: true });
      const got = await api('POST', `${queue}/get`, { count: 1, ackmode: 'ack_requeue_false', encoding: 'auto' });
      assert.equal((JSON.parse(got.body) as { payload: string }[])[0]?.payload, 'hello');

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const records = await auditor.audit(`who:alice@example.com resource:${resource}`);
      const paths = records.map(({ method, personal }) => `${method} ${personal?.path}`);
      for (const access of [`PUT ${queue}`, 'POST /api/exchanges/%2F/amq.default/publish', `POST ${queue}/get`])
        assert.ok(paths.includes(access), access);
    });

  test('a deny of a path holds in every way to write it; without `lenient` such paths are refused under path rules', async () => {
    const lenient = await apiOf('alice', 'lenient');
    for (const path of ['/api/queues/%2F/payroll', '/api/queues/%2f/pay%72oll', '/api/queues/%2F/payroll/get'])
      assert.equal((await lenient('PUT', path, {})).status, 403, path);
    const strict = await apiOf('alice', 'strict');
    assert.equal((await strict('GET', '/api/overview')).status, 200);
    const refused = await strict('PUT', '/api/queues/%2F/payroll', {});
    assert.equal(refused.status, 403);
    assert.match(refused.body, /can be read in more than one way/);
    const direct = await fetch(`${rabbit.target}/api/queues`, { headers: { authorization: AUTHORIZATION } });
    const names = ((await direct.json()) as { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names.toSorted(), ['story-free', 'story-lenient']);
  });

  test('a contractor gets nothing, with RabbitMQ’s own password too', async () => {
    for (const resource of ['free', 'lenient']) {
      const api = await apiOf('eve', resource);
      assert.equal((await api('GET', '/api/queues/%2F')).status, 403);
    }
  });
});
