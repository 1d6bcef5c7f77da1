import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { within } from '../../src/lib/wait.ts';
import { missing } from '../apps/missing.ts';
import type { CommandLine } from './command-line.ts';
import type { Namespace } from './netns.ts';
import { startSideProgram } from './side-program.ts';
import { startTwoNetworks, type TwoNetworks } from './two-networks.ts';

const run = promisify(execFile);
const skip = process.getuid?.() === 0 ? missing(['/usr/bin/curl'], 'curl') : 'only root makes network namespaces';
const LIMIT_MS = 30_000;

const INTRANET = '172.31.77.5';
const VAULT = '172.31.77.6';
const PORT = '8080';

describe('curl through SOCKS into a network that can only dial out', { skip }, () => {
  const undo = new AsyncDisposableStack();
  let networks: TwoNetworks;
  let there: Namespace;
  let alice: CommandLine;
  let auditor: CommandLine;
  let byAlice: string;
  let byEve: string;

  before(async () => {
    networks = undo.use(
      await startTwoNetworks(async (agents, held) => {
        there = agents;
        held.defer(() => rmSync(hostsDirectory(there), { recursive: true, force: true }));
        names({ 'intranet.corp.internal': INTRANET, 'metadata.corp.internal': '169.254.169.254' });
        for (const address of [INTRANET, VAULT]) {
          await run('ip', ['-n', there.name, 'addr', 'add', `${address}/32`, 'dev', 'lo']);
          held.use(await startSideProgram('site.ts', [address, PORT], there.prefix));
        }
        return {
          database: 'embedded',
          resources: {},
          networks: { lan: { hosts: ['*.corp.internal'], addresses: ['172.31.0.0/16'], ports: [Number(PORT)] } },
          policy: {
            rules: [
              { id: 'employees', effect: 'allow', who: ['provider:employees'], what: ['resource:lan'] },
              {
                id: 'vault',
                effect: 'deny',
                who: ['anyone-signed-in'],
                what: ['resource:lan'],
                destinations: [`${VAULT}:*`],
              },
            ],
          },
        };
      }),
    );
    ({ alice, auditor } = networks);
    byAlice = await startProxy(alice);
    byEve = await startProxy(networks.eve);
  });
  after(() => undo.disposeAsync());

  const hostsDirectory = ({ name }: Namespace) => join('/etc/netns', name);

  /** What names mean in the agent's network, from here on. */
  function names(entries: Readonly<Record<string, string>>): void {
    const lines = Object.entries(entries).map(([name, address]) => `${address} ${name}\n`);
    mkdirSync(hostsDirectory(there), { recursive: true });
    // The same file is written, since it is mounted into the network's programs.
    writeFileSync(join(hostsDirectory(there), 'hosts'), `${readFileSync('/etc/hosts', 'utf8')}\n${lines.join('')}`);
  }

  /** The person's SOCKS proxy, in the person's network: its address. */
  async function startProxy(person: CommandLine): Promise<string> {
    const child = networks.start(person, 'proxy', '--socks', '0');
    const said = Promise.withResolvers<string>();
    if (child.stderr)
      createInterface({ input: child.stderr }).on('line', (line) => {
        const address = /^SOCKS5 at (\S+)\. /.exec(line)?.[1];
        if (address !== undefined) said.resolve(address);
      });
    return within(LIMIT_MS, 'postern proxy', said.promise);
  }

  const curl = (proxy: string, host: string, port = PORT) =>
    networks.run(alice, 'curl', '-sS', '--max-time', '20', '--socks5-hostname', proxy, `http://${host}:${port}/`);

  /** Requests that a site has had, this one not counted. */
  async function requestsAt(address: string): Promise<number> {
    const [command, ...args] = [...there.prefix, 'curl', '-sS', `http://${address}:${PORT}/`];
    const { stdout } = await run(command, args, { timeout: LIMIT_MS });
    return Number(stdout.split(' ')[1]) - 1;
  }

  test('alice reaches a machine by its name and by its address; the record says who, what for, and where it went', async () => {
    const byName = await curl(byAlice, 'intranet.corp.internal');
    assert.match(byName.stdout, /^172\.31\.77\.5 1$/m);
    assert.match((await curl(byAlice, INTRANET)).stdout, /^172\.31\.77\.5 2$/m);
    const records = await auditor.audit(`who:alice@example.com destination:${INTRANET}:${PORT}`);
    assert.deepEqual(
      records.map(({ host, effect, resource }) => [host, effect, resource]),
      [
        [`${INTRANET}:${PORT}`, 'allow', 'lan'],
        [`intranet.corp.internal:${PORT}`, 'allow', 'lan'],
      ],
    );
  });

  test('eve is refused in the words of SOCKS, on record, and the machine sees nothing', async () => {
    const before = await requestsAt(INTRANET);
    // 97: the proxy said no.
    assert.equal((await curl(byEve, 'intranet.corp.internal')).code, 97);
    assert.equal((await curl(byEve, INTRANET)).code, 97);
    assert.equal(await requestsAt(INTRANET), before + 1, 'only the look before');
    const records = await auditor.audit('who:eve@example.com resource:lan');
    assert.deepEqual(
      records.map(({ effect }) => effect),
      ['deny', 'deny'],
    );
  });

  test('metadata, an unlisted port and an unlisted name are out of reach, and a name that moves is decided anew', async () => {
    for (const [host, port] of [
      ['metadata.corp.internal', PORT],
      ['169.254.169.254', PORT],
      ['intranet.corp.internal', '22'],
      ['intranet.example', PORT],
      ['localhost', PORT],
      ['127.0.0.1', PORT],
      [`[::ffff:${INTRANET}]`, PORT],
    ] as const)
      assert.equal((await curl(byAlice, host, port)).code, 97, `${host}:${port}`);
    const before = await requestsAt(VAULT);
    names({ 'intranet.corp.internal': VAULT });
    assert.equal((await curl(byAlice, 'intranet.corp.internal')).code, 97);
    assert.equal(await requestsAt(VAULT), before + 1, 'only the look before');
    const [record] = await auditor.audit(`who:alice@example.com destination:${VAULT}`);
    assert.deepEqual([record?.host, record?.rule], [`intranet.corp.internal:${PORT}`, 'vault']);
  });
});
