import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { isTunnelReady } from '../../trial/chain.ts';
import { launch } from '../../trial/program.ts';
import { serveTarget } from '../../trial/targets/serve.ts';
import { Browser } from '../identity/browser.ts';
import { startInstallation } from './installation.ts';
import { openTransfer } from './transfer.ts';
import { until } from './until.ts';
import { assertLogged } from './whole-log.ts';

const READY_LIMIT_MS = 20_000;

test('the agent is killed in mid-transfer: the client sees a broken transfer, its end is recorded, a new agent serves on', async () => {
  await using world = await startInstallation({ withoutAgent: true });
  const startAgent = async () => {
    const program = launch({ name: 'agent', args: ['agent', '--config', world.agentFile] });
    await program.saw('the tunnel is ready', isTunnelReady, READY_LIMIT_MS);
    return program;
  };
  const agent = await startAgent();
  const browser = await world.signIn();
  const transfer = await openTransfer(world, browser);
  agent.kill('SIGKILL');
  assert.equal(await transfer.ended, 'broken');
  await agent.ended;
  const without = await browser.send(`${world.wiki}/without`);
  assert.deepEqual([without.status, /No agent that leads there/.test(without.body)], [503, true]);
  {
    await using _next = await startAgent();
    await until(browser, `${world.wiki}/again`, 200);
  }
  await world.stopRelay();
  const leaves = await assertLogged(world, world.target.seen);
  assert.equal(leaves.find(({ intent }) => intent === transfer.reference)?.end, 'target_closed');
});

test('a target hangs, dies in mid-answer, is gone: 504, a broken transfer, 502, each with its outcome', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/hang') return;
    response.writeHead(200, { 'content-length': '1000' });
    response.write('some', () => request.url === '/die' && response.destroy());
    if (request.url !== '/die') response.end('.'.repeat(996));
  });
  const target = await serveTarget(server);
  await using world = await startInstallation({ target: target.url, wiki: { timeouts: { headers: '1s' } } });
  const browser = await world.signIn();
  assert.equal((await browser.send(`${world.wiki}/hang`)).status, 504);
  await assert.rejects(browser.send(`${world.wiki}/die`));
  await target[Symbol.asyncDispose]();
  assert.equal((await browser.send(`${world.wiki}/gone`)).status, 502);
  await world.stopRelay();
  const leaves = await assertLogged(world, world.target.seen);
  const ends = leaves.flatMap((leaf) => leaf.end ?? []);
  assert.deepEqual(ends, ['completed', 'timed_out', 'target_closed', 'target_unreachable']);
});

test('the provider is down, lying, or has a new key: sessions go on, new sign-ins get a page that says what to do', async () => {
  await using world = await startInstallation({});
  const { provider } = world;
  const known = await world.signIn();
  const troubles: readonly { strike: () => void; heal: () => void; status: number; page: RegExp }[] = [
    {
      strike: () => void (provider.down = true),
      heal: () => void (provider.down = false),
      status: 502,
      page: /sign-in provider does not answer.*try again/is,
    },
    {
      strike: () => void (provider.variant = { signature: 'other-key' }),
      heal: () => void (provider.variant = {}),
      status: 403,
      page: /sign.?in/i,
    },
  ];
  for (const { strike, heal, status, page } of troubles) {
    const newcomer = new Browser();
    const back = await newcomer.visitUntil(`${world.wiki}/`, (url) => url.pathname === '/oidc/callback');
    strike();
    const answer = await newcomer.visit(back);
    assert.equal(answer.status, status, answer.body.slice(0, 500));
    assert.match(String(answer.headers['content-type']), /^text\/html/);
    assert.match(answer.body, page);
    assert.equal((await known.send(`${world.wiki}/as-before`)).status, 200);
    heal();
  }
  provider.rotate();
  assert.equal((await new Browser().visit(`${world.wiki}/`)).status, 200, 'the new key is read at once');
  assert.equal((await known.send(`${world.wiki}/as-before`)).status, 200);
});
