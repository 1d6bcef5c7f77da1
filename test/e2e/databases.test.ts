import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { missing } from '../apps/missing.ts';
import { eventually } from '../eventually.ts';
import { type Cluster, startPostgres } from '../store/databases.ts';
import type { CommandLine } from './command-line.ts';
import { type RecordingTarget, startRecordingTarget } from './recording-target.ts';
import { startTwoNetworks, type TwoNetworks } from './two-networks.ts';

const skip =
  process.getuid?.() === 0
    ? missing(['/usr/bin/psql', '/usr/bin/curl'], 'postgresql-client curl')
    : 'only root makes network namespaces';
const SETTINGS = [
  'log_connections=on',
  'logging_collector=on',
  'log_directory=log',
  'log_filename=log',
  'log_timezone=UTC',
];

describe('TCP from a network that can only dial out to services in another one', { skip }, () => {
  const undo = new AsyncDisposableStack();
  let networks: TwoNetworks;
  let postgres: Cluster;
  let web: RecordingTarget;
  let alice: CommandLine;
  let eve: CommandLine;
  let auditor: CommandLine;
  let run: TwoNetworks['run'];

  before(async () => {
    networks = undo.use(
      await startTwoNetworks(async (there, held) => {
        postgres = held.use(await startPostgres(SETTINGS));
        web = held.use(await startRecordingTarget());
        const webPort = Number(new URL(web.url).port);
        await there.leadOut(webPort);
        const resources = {
          db: { target: `unix:${join(postgres.directory, '.s.PGSQL.5432')}`, protocol: 'tcp' },
          web: { target: `127.0.0.1:${webPort}`, protocol: 'tcp' },
          closed: { target: '127.0.0.1:9', protocol: 'tcp' },
        };
        return { database: 'embedded', resources };
      }),
    );
    ({ alice, eve, auditor, run } = networks);
  });
  after(() => undo.disposeAsync());

  const psql = (person: CommandLine, sql: string) => {
    const command = `psql -X -At -h 127.0.0.1 -p {port} -U postgres -c "${sql}"`;
    return networks.postern(person, 'connect', 'db', '--exec', command);
  };
  /** When the server took connections that then said something, epoch ms. The agent tries it without a byte. */
  const connections = (): number[] => {
    const lines = readFileSync(join(postgres.directory, 'data/log/log'), 'utf8').split('\n');
    const processOf = (line: string) => /\[(\d+)\]/.exec(line)?.[1];
    const spoke = new Set(lines.filter((line) => line.includes('connection authorized')).map(processOf));
    return lines
      .filter((line) => line.includes('connection received') && spoke.has(processOf(line)))
      .map((line) => Date.parse(`${line.slice(0, 23).replace(' ', 'T')}Z`));
  };
  /** `postern` in the background, until it has said that. */
  async function background(person: CommandLine, stream: 'stdout' | 'stderr', ...words: string[]): Promise<string> {
    const said = networks.start(person, ...words)[stream] ?? assert.fail();
    const [line] = (await once(said, 'data')) as [Buffer];
    return line.toString();
  }

  test('alice asks PostgreSQL by psql, and the record of it was there before the server saw anything', async () => {
    const seenBefore = connections().length;
    const { code, stdout, stderr } = await psql(alice, 'select 6 * 7, repeat(md5(1::text), 100000)');
    assert.equal(code, 0, stderr);
    assert.ok(stdout === `42|${'c4ca4238a0b923820dcc509a6f75849b'.repeat(100_000)}\n`, stdout.slice(0, 100));
    const [at = 0, ...more] = connections().slice(seenBefore);
    assert.equal(more.length, 0);
    const record = await eventually(async () => {
      const [newest] = await auditor.audit('who:alice@example.com resource:db');
      return newest?.outcome ? newest : undefined;
    });
    assert.equal(record.effect, 'allow');
    assert.equal(record.personal?.email, 'alice@example.com');
    assert.ok(record.at <= at, `recorded at ${record.at}, connected at ${at}`);
    assert.equal(record.outcome?.end, 'completed');
    assert.ok(record.outcome.bytesDown > 3_200_000);
  });

  test('eve is denied: psql fails, the sentence of the rule is said, and the server saw nothing', async () => {
    const seenBefore = connections().length;
    const { code, stdout, stderr } = await psql(eve, 'select 1');
    assert.equal(code, 2, 'the exit code of psql');
    assert.equal(stdout, '');
    assert.match(stderr, /^db: This is for employees\./m);
    assert.equal(connections().length, seenBefore);
    const records = await auditor.audit('who:eve@example.com resource:db');
    assert.ok(records.length > 0 && records.every(({ effect }) => effect === 'deny'));
    assert.ok(stderr.includes(records[0]?.id ?? 'no record'));
  });

  test('a local socket stands for the one at the server', async () => {
    const directory = join(alice.env['POSTERN_CONFIG_DIR'] ?? '', 'sockets');
    await run(alice, 'mkdir', directory);
    await background(alice, 'stdout', 'connect', 'db', '-L', `unix:${join(directory, '.s.PGSQL.5432')}`);
    const { stdout, stderr } = await run(
      alice,
      'psql',
      '-X',
      '-At',
      '-h',
      directory,
      '-U',
      'postgres',
      '-c',
      'select 43',
    );
    assert.equal(stdout, '43\n', stderr);
  });

  test('curl through SOCKS5 and HTTP CONNECT reaches what alice may, by the name of the resource; eve reaches nothing', async () => {
    for (const [person, port] of [
      [alice, '1080'],
      [eve, '1081'],
    ] as const)
      await background(person, 'stderr', 'proxy', '--socks', port, '--http', port);
    const get = (person: CommandLine, ...way: string[]) => run(person, 'curl', '-sS', '--max-time', '30', ...way);
    for (const way of [['--socks5-hostname'], ['--proxytunnel', '--proxy']])
      for (const url of ['http://web/', 'http://web.postern.localhost:81/']) {
        const { code, stderr } = await get(alice, ...way, '127.0.0.1:1080', url);
        assert.equal(code, 0, stderr);
      }
    const seenBefore = web.seen.length;
    assert.equal(seenBefore, 4);
    const denied = await get(eve, '--socks5-hostname', '127.0.0.1:1081', 'http://web/');
    assert.equal(denied.code, 97);
    assert.match(denied.stderr, /\(2\)/, 'not allowed by the rules');
    const refused = await get(alice, '--socks5-hostname', '127.0.0.1:1080', 'http://closed/');
    assert.match(refused.stderr, /\(5\)/, 'connection refused');
    assert.equal(web.seen.length, seenBefore);
    const [record] = await auditor.audit('who:eve@example.com resource:web');
    assert.equal(record?.effect, 'deny');
  });
});
