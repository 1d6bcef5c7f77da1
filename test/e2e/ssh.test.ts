import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { missing } from '../apps/missing.ts';
import type { CommandLine } from './command-line.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { startTwoNetworks, type TwoNetworks } from './two-networks.ts';

const skip =
  process.getuid?.() === 0
    ? missing(['/usr/sbin/sshd', '/usr/bin/scp'], 'openssh-server')
    : 'only root makes network namespaces';
const BYTES = 100 * 1024 * 1024;

describe('SSH from a network that can only dial out to a server in another one', { skip }, () => {
  const undo = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'postern-ssh-story-'));
  undo.defer(() => rmSync(directory, { recursive: true, force: true }));
  let networks: TwoNetworks;
  let sshd: Sshd;
  let alice: CommandLine;
  let eve: CommandLine;
  let auditor: CommandLine;
  let run: TwoNetworks['run'];
  let postern: TwoNetworks['postern'];

  before(async () => {
    networks = undo.use(
      await startTwoNetworks(async (there, held) => {
        sshd = held.use(await startSshd(there.prefix, 2222));
        return { database: 'postgres', resources: { build01: { target: sshd.target, protocol: 'ssh' } } };
      }),
    );
    ({ alice, eve, auditor, run, postern } = networks);
  });
  after(() => undo.disposeAsync());

  const ssh = (person: CommandLine, ...words: string[]) =>
    postern(person, 'ssh', `${sshd.user}@build01`, ...sshd.options, ...words);

  test('alice runs a command; the host key is kept by the name of the resource; the record says who it was', async () => {
    const { code, stdout, stderr } = await ssh(alice, '--', 'echo "$((6 * 7)) from $SSH_CONNECTION"; exit 3');
    assert.match(stdout, /^42 from 127\.0\.0\.1 /, stderr);
    assert.equal(code, 3, 'the exit code of the remote command');
    const alias = `postern-postern.localhost-${networks.world.port}-build01`;
    const known = await run(alice, 'ssh-keygen', '-F', alias, '-f', sshd.knownHosts);
    assert.equal(known.code, 0, known.stdout);
    const [record] = await auditor.audit('who:alice@example.com resource:build01');
    assert.equal(record?.effect, 'allow');
    assert.equal(record.personal?.email, 'alice@example.com');
    assert.equal(record.outcome?.end, 'completed');
    assert.ok(record.outcome.bytesDown > 1000);
  });

  test('eve is denied with the sentence of the rule, and the server sees no connection', async () => {
    const before = sshd.connections.length;
    const { code, stderr } = await ssh(eve, 'true');
    assert.equal(code, 255);
    assert.match(stderr, /^This is for employees\..* \(reference [0-9a-f-]{36}\)$/m);
    const plain = await postern(eve, 'connect', 'build01', '-L', '-');
    assert.equal(plain.code, 5);
    assert.equal(sshd.connections.length, before);
    const records = await auditor.audit('who:eve@example.com resource:build01');
    assert.deepEqual(
      records.map(({ effect }) => effect),
      ['deny', 'deny'],
    );
    assert.ok(stderr.includes(records[1]?.id ?? 'no record'));
  });

  test('git clones by the plain name', { skip: missing(['/usr/bin/git'], 'git') }, async () => {
    const [config, repository, clone] = ['git-config', 'repository', 'clone'].map((name) => join(directory, name));
    writeFileSync(config ?? '', (await postern(alice, 'ssh-config')).stdout, { mode: 0o600 });
    const git = (...words: string[]) =>
      run(alice, 'git', '-c', 'user.name=a', '-c', 'user.email=a@example.com', ...words);
    await git('init', '-q', repository ?? '');
    await git('-C', repository ?? '', 'commit', '-q', '--allow-empty', '-m', 'The first one');
    const ssh = ['ssh', '-F', config, ...sshd.options].join(' ');
    const from = `${sshd.user}@build01.postern.localhost:${repository}`;
    const cloned = await git('-c', `core.sshCommand=${ssh}`, 'clone', '-q', from, clone ?? '');
    assert.equal(cloned.code, 0, cloned.stderr);
    assert.match((await git('-C', clone ?? '', 'log', '--oneline')).stdout, /The first one/);
  });

  test('scp by the plain name carries 100 MB each way, byte for byte', async (t) => {
    const config = join(directory, 'config');
    const { stdout } = await postern(alice, 'ssh-config');
    writeFileSync(config, stdout, { mode: 0o600 });
    const [sent, there, back] = ['sent', 'there', 'back'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const part = randomBytes(1024 * 1024);
    writeFileSync(
      sent,
      Buffer.concat(
        Array.from({ length: BYTES / part.length }, (_, at) =>
          Buffer.concat([part.subarray(at), part.subarray(0, at)]),
        ),
      ),
    );
    const host = `${sshd.user}@build01.postern.localhost`;
    const startedAt = performance.now();
    for (const [from, to] of [
      [sent, `${host}:${there}`],
      [`${host}:${there}`, back],
    ] as const) {
      const { code, stderr } = await run(alice, 'scp', '-F', config, ...sshd.options, from, to);
      assert.equal(code, 0, stderr);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    assert.equal(await hashOf(back), await hashOf(sent));
    t.diagnostic(`2 × 100 MB by scp in ${seconds.toFixed(1)} s`);
  });

  test('a port forward inside the SSH connection leads on, until signing out ends all of it', async () => {
    const words = [
      'ssh',
      `${sshd.user}@build01`,
      ...sshd.options,
      '-v',
      '-N',
      '-R',
      `127.0.0.1:4022:127.0.0.1:${networks.world.port}`,
    ];
    const child = networks.start(alice, ...words, '-o', 'ExitOnForwardFailure=yes');
    const ended = once(child, 'exit');
    const said = createInterface({ input: child.stderr ?? assert.fail() });
    const lines: string[] = [];
    said.on('line', (line) => lines.push(line));
    while (!lines.some((line) => line.includes('remote forward success'))) await once(said, 'line');
    // From the server into this network, where the way to the relay is what listens.
    const script = `exec 3<>/dev/tcp/127.0.0.1/4022; printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; head -n1 <&3`;
    const through = await ssh(alice, '--', `bash -c "${script.replaceAll('"', '')}"`);
    assert.match(through.stdout, /^HTTP\/1\.1 \d{3}/, through.stderr);

    await alice.run('logout');
    assert.deepEqual(await ended, [255, null]);
    assert.ok(
      lines.some((line) => line.includes('The connection broke off: your session')),
      lines.slice(-5).join('\n'),
    );
    const records = await auditor.audit('who:alice@example.com resource:build01');
    assert.equal(records.filter(({ outcome }) => outcome?.end === 'terminated').length, 1);
    const afterwards = await ssh(alice, 'true');
    assert.match(afterwards.stderr, /postern login/);
  });
});

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
