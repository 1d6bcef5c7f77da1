import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ourPage, startWholeRelay, type WholeRelay } from '../control/whole-relay.ts';
import { eventually } from '../eventually.ts';
import { type Echo, startEcho } from '../gateway/tcp-ends.ts';
import { createMachine } from './machine.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const ON_CALL = { id: 'on-call', effect: 'allow', who: ['provider:on-call'], what: ['resource:db'] };
const ENGINEERING = {
  id: 'engineering',
  effect: 'allow',
  who: ['provider:engineering'],
  what: ['resource:db'],
  message: 'The database is for engineering.',
};

describe('A connection that the relay cuts', { timeout: 120_000 }, () => {
  const undo = new AsyncDisposableStack();
  const machine = undo.use(createMachine());
  let whole: WholeRelay;
  let echo: Echo;
  let root = '';

  before(async () => {
    whole = undo.use(
      await startWholeRelay({
        resources: { db: { protocol: 'tcp', agent: 'office' } },
        rules: [ENGINEERING, ON_CALL],
      }),
    );
    echo = undo.use(await startEcho());
    root = await whole.signIn('root', ['admins', 'security']);
    await whole.startAgent({ db: `127.0.0.1:${echo.port}` }, root);
    await machine.signIn(whole, 'alice', ['engineering']);
    await machine.signIn(whole, 'carol', ['on-call']);
  });
  after(() => undo.disposeAsync());

  it('says why, with the reference of its record, by each way that led to it; others go on', async () => {
    const audrey = await whole.signIn('audrey', ['audit']);
    const carol = await overStdio('carol');
    const alice = await overStdio('alice');
    const lines = await Promise.all([byPort('connect', 'db', '-L', '0'), byPort('up'), byProxy()]);
    await whole.setRules([ON_CALL], root);

    const why = /^The connection broke off: you may no longer do this here\. \(reference ([0-9a-f-]{36})\)$/;
    const [said, code] = await Promise.all([alice.said, alice.ended]);
    assert.match(said.trimEnd(), why);
    assert.equal(code, 5);
    for (const [line, name] of [
      [await lines[0].line, 'db'],
      [await lines[1].line, 'db'],
      [await lines[2].line, whole.app('db').replace(/^http:\/\/|:\d+$/g, '')],
    ] as const) {
      assert.ok(line.startsWith(`${name}: `), line);
      assert.match(line.slice(name.length + 2), why);
    }

    const reference = why.exec(said.trimEnd())?.[1];
    const row = await eventually(async () => {
      const query = encodeURIComponent(`id:${reference}`);
      const { body } = await whole.ask(`/api/v1/audit?query=${query}`, { headers: { cookie: audrey } });
      const [found] = (JSON.parse(body) as { rows: { end: string | null; person: { email: string } }[] }).rows;
      return found?.end ? found : undefined;
    });
    assert.deepEqual([row.person.email, row.end], ['alice@example.com', 'terminated']);

    carol.write('still there');
    assert.equal(await carol.read(), 'still there');
    const { body } = await whole.ask(`/api/v1/audit?query=${encodeURIComponent('who:carol@example.com')}`, {
      headers: { cookie: audrey },
    });
    const [open] = (JSON.parse(body) as { rows: { id: string }[] }).rows;
    const answer = await whole.ask(`/api/v1/accesses/${open?.id}/terminate`, {
      method: 'POST',
      headers: { cookie: root, ...ourPage(whole.origin) },
      body: JSON.stringify({ reason: 'a test' }),
    });
    assert.ok(answer.status < 300, answer.body);
    assert.equal(
      await carol.said,
      `The connection broke off: someone responsible for security ended it. (reference ${open?.id})\n`,
    );
    assert.equal(await carol.ended, 5);
  });

  it('its twin: whom no rule lets in reads the sentence of the rule, and the target hears nothing', async () => {
    await machine.signIn(whole, 'bob', ['sales']);
    await whole.setRules([ENGINEERING], root);
    const { spoken } = echo;
    const { status, out, err } = await machine.postern('connect', 'db', '-L', '-', '--profile', 'bob');
    assert.deepEqual([status, out], [5, '']);
    assert.match(err, /^The database is for engineering\. \(reference [0-9a-f-]{36}\)\n$/);
    assert.equal(echo.spoken, spoken);
  });

  function start(...args: string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { env: machine.env });
    undo.defer(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    return { child, ended };
  }

  /** `postern connect db -L -`, with a byte there and back. */
  async function overStdio(profile: string) {
    const { child, ended } = start('connect', 'db', '-L', '-', '--profile', profile);
    const read = async () => String(await once(child.stdout, 'data'));
    const write = (what: string) => child.stdin.write(what);
    const said = text(child.stderr);
    write('hello');
    assert.equal(await read(), 'hello');
    return { read, write, said, ended };
  }

  /** As alice, with a byte there and back; gives the line that is said of the broken connection. */
  async function byPort(...args: string[]): Promise<{ line: Promise<string> }> {
    const { child } = start(...args, '--profile', 'alice');
    const line = brokenLine(child.stderr);
    let shown = '';
    let port: string | undefined;
    while (port === undefined) {
      shown += String(await once(child.stdout, 'data'));
      port = /(?:127\.0\.0\.1:)?\b(\d{4,5})\b/.exec(shown)?.[1];
    }
    await hello(connect(Number(port), '127.0.0.1'));
    return { line };
  }

  async function byProxy(): Promise<{ line: Promise<string> }> {
    const { child } = start('proxy', '--http', '0', '--profile', 'alice');
    const line = brokenLine(child.stderr);
    const port = /127\.0\.0\.1:(\d+)/.exec(String(await once(child.stderr, 'data')))?.[1];
    const socket = connect(Number(port), '127.0.0.1');
    const { host } = new URL(whole.app('db'));
    socket.write(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 200 /);
    await hello(socket);
    return { line };
  }
});

async function hello(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  socket.write('hello');
  assert.equal(String(await once(socket, 'data')), 'hello');
}

function brokenLine(stderr: Readable): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: stderr }).on('line', (line) => line.includes('broke off') && resolve(line));
  });
}
