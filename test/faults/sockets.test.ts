import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Browser } from '../identity/browser.ts';
import { type Installation, startInstallation } from './installation.ts';

const IDLE = 5_000;
const ADDRESSES = 5;

describe('clients that hold on to the relay', () => {
  let world: Installation;
  let browser: Browser;
  before(async () => {
    world = await startInstallation({});
    browser = await world.signIn();
  });
  after(() => world[Symbol.asyncDispose]());

  const open = async (localAddress: string): Promise<Socket> => {
    const socket = connect({ port: world.port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  };

  test(`${IDLE} idle sockets: all stay open, others are served, and each costs little memory`, async () => {
    const before = process.memoryUsage.rss();
    const sockets: Socket[] = [];
    try {
      for (let at = 0; at < IDLE; at += 100) {
        const some = Array.from({ length: 100 }, (_, n) => open(`127.0.0.${2 + (n % ADDRESSES)}`));
        sockets.push(...(await Promise.all(some)));
      }
      assert.equal((await browser.send(`${world.wiki}/served`)).status, 200);
      assert.equal(sockets.filter((socket) => socket.readyState === 'open').length, IDLE, 'none was turned away');
      // Both ends of each live in this process.
      const each = (process.memoryUsage.rss() - before) / IDLE;
      assert.ok(each < 60_000, `${Math.round(each)} bytes for each idle socket`);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  // What slowhttptest does, by its own names.
  const attacks = {
    'slow headers': ['-H'],
    'slow bodies': ['-B'],
    'slow reads': ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '5'],
  };
  for (const [name, options] of Object.entries(attacks)) {
    test(`${name} (slowhttptest): others are served all the while`, async () => {
      const attack = spawn(
        'slowhttptest',
        [
          ...options,
          '-c',
          '1000',
          '-r',
          '1000',
          '-i',
          '1',
          '-l',
          '4',
          '-p',
          '2',
          '-u',
          `http://127.0.0.1:${world.port}/`,
        ],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let said = '';
      attack.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = once(attack, 'close');
      let served = 0;
      while (attack.exitCode === null) {
        assert.equal((await browser.send(`${world.wiki}/served`)).status, 200);
        served += 1;
      }
      await ended;
      assert.ok(served > 0);
      assert.doesNotMatch(said, /service available:\s*NO/);
    });
  }
});
