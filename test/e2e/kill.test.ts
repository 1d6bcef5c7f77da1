import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { Agent, get } from 'node:http';
import { describe, test } from 'node:test';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { pause } from '../../src/lib/wait.ts';
import { KINDS } from '../store/databases.ts';
import { openAs, startChromium } from './chromium.ts';
import { signInCommandLine } from './command-line.ts';
import { startRecordingTarget } from './recording-target.ts';
import { startWorld } from './world.ts';

const ROUNDS = 20;
const CLIENTS = 8;
/** Per round, so that the whole log stays within what one search returns. */
const REQUESTS = 400;
const SESSION_COOKIE = '__Host-postern-session';

describe('kill -9 of the relay under load', () => {
  for (const database of KINDS) {
    test(`every request that the app saw has its intent, after ${ROUNDS} rounds (${database})`, async () => {
      await using target = await startRecordingTarget();
      await using world = await startWorld({ database, resources: { wiki: target.url } });
      await using chromium = await startChromium();
      const context = await chromium.person();
      await openAs(context, 'alice', `${world.origin('wiki')}/`);
      const cookies = await context.cookies(world.origin('wiki').replace('http:', 'https:'));
      const cookie = cookies.find(({ name }) => name === SESSION_COOKIE);
      assert.ok(cookie);

      let answered = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const load = startLoad(world.origin('wiki'), `${cookie.name}=${cookie.value}`, round);
        await load.answered(randomInt(1, REQUESTS));
        // Every other time both: an agent that lost many relays in a row waits longer and longer.
        await world.killRelay({ agentToo: round % 2 === 1 });
        answered += await load.stop();
      }
      assert.ok(answered > ROUNDS, 'the load was a load');

      const auditor = await signInCommandLine(world, await chromium.person(), 'audrey');
      const records = new Map((await auditor.audit('resource:wiki')).map((record) => [record.id, record]));
      const loaded = target.seen.filter(({ target }) => target.startsWith('/r/'));
      assert.ok(loaded.length >= answered);
      for (const { target, headers } of loaded) {
        const record = records.get(String(headers['x-request-id']));
        assert.equal(record?.kind, 'access.intent', `${target} has its intent`);
        assert.equal(record.effect, 'allow');
        assert.equal(record.personal?.path, target);
        assert.equal(record.personal.email, 'alice@example.com');
      }
    });
  }
});

/** Clients that each send one request after the other, until enough were sent or they are stopped. */
function startLoad(origin: string, cookie: string, round: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const stop = new AbortController();
  let sent = 0;
  let answered = 0;
  const request = (url: string) =>
    new Promise<number>((resolve) => {
      const outgoing = get(url, { agent, lookup: lookupWithLocalhost, headers: { cookie } }, (response) => {
        response.on('error', () => resolve(0));
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      });
      outgoing.on('error', () => resolve(0));
    });
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (!stop.signal.aborted && sent < REQUESTS) {
      sent += 1;
      const status = await request(`${origin}/r/${round}/${sent}`);
      if (status === 200) answered += 1;
      // The relay is gone, or not back yet.
      else await pause(5);
    }
  });
  return {
    /** Waits until so many were answered, or no more will be. */
    async answered(count: number): Promise<void> {
      while (answered < count && sent < REQUESTS) await pause(1);
    },
    async stop(): Promise<number> {
      stop.abort();
      await Promise.all(clients);
      agent.destroy();
      return answered;
    },
  };
}
