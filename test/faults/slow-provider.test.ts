import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../eventually.ts';
import { type Answer, Browser } from '../identity/browser.ts';
import { type Installation, startInstallation } from './installation.ts';
import { until } from './until.ts';

const DISCOVERY = '/.well-known/openid-configuration';

/** The page that a person gets whose sign-in cannot go on: what happened, what to do, and what to quote, which is in the log. */
function assertUnavailable(answer: Answer, world: Installation, when: string): void {
  assert.equal(answer.status, 502, `${when}: ${answer.body.slice(0, 500)}`);
  assert.match(String(answer.headers['content-type']), /^text\/html/);
  assert.match(answer.body, /sign-in provider does not answer.*try again/is, when);
  const reference = /Reference <code>([^<]+)<\/code>/.exec(answer.body)?.[1];
  assert.ok(
    world.lines.all.some((line) => line['reference'] === reference && line.level >= 50),
    `${when}: logged`,
  );
}

test('a provider that is slow: each sign-in ends with a page that says so, nobody else waits, and it is over when it is over', async () => {
  await using world = await startInstallation({});
  const { provider } = world;
  const known = await world.signIn();
  /** Somebody who is signed in works on while `waiting` does not end. */
  const assertNobodyElseWaits = async (waiting: readonly Promise<Answer>[]): Promise<void> => {
    let ended = false;
    void Promise.race(waiting).then(() => (ended = true));
    for (let request = 0; request < 20; request++)
      assert.equal((await known.send(`${world.wiki}/meanwhile`)).status, 200);
    assert.equal(ended, false, 'the sign-ins still wait');
  };

  // Its metadata are read at the first sign-in of a relay.
  await world.stopRelay();
  await world.startRelay();
  await until(known, `${world.wiki}/again`, 200);
  provider.endless = { [DISCOVERY]: 'drips' };
  const first = [new Browser().visit(`${world.wiki}/`), new Browser().visit(`${world.wiki}/`)];
  await provider.asked(DISCOVERY);
  await assertNobodyElseWaits(first);
  for (const answer of await Promise.all(first)) assertUnavailable(answer, world, 'discovery drips');
  provider.endless = {};
  await eventually(async () => (await new Browser().visit(`${world.wiki}/`)).status === 200);

  const under = new Map<string, Promise<Answer>>();
  for (const path of ['/token', '/jwks', '/userinfo'])
    for (const how of ['hangs', 'drips'] as const) {
      const newcomer = new Browser();
      const back = await newcomer.visitUntil(`${world.wiki}/`, (url) => url.pathname === '/oidc/callback');
      provider.endless = { [path]: how };
      const asked = provider.asked(path);
      const answer = newcomer.visit(back);
      // Awaited below; a failure before that is not to be hidden by how these then end.
      answer.catch(() => {});
      under.set(`${path} ${how}`, answer);
      await asked;
    }
  await assertNobodyElseWaits([...under.values()]);
  provider.endless = {};
  assert.equal((await new Browser().visit(`${world.wiki}/`)).status, 200, 'others sign in while some still wait');
  for (const [when, answer] of under) assertUnavailable(await answer, world, when);
  provider.answerLate();
  assert.equal((await new Browser().visit(`${world.wiki}/`)).status, 200);
});
