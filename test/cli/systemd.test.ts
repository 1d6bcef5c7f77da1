import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GIVE_MEMORY_BACK, systemdUnit } from '../../src/cli/systemd-unit.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'postern-unit-'));
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

function printed(what: string, config: string, ...more: string[]) {
  const args = [MAIN, 'service', 'install', what, '--config', config, '--print', ...more];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}

const AGENT = `relay: https://access.example.com
name: office
enrollmentTokenFile: credential:office.token
stateDir: /var/lib/postern-agent
targets: { wiki: "http://127.0.0.1:7001" }
`;

test('the unit of an agent: own user, read-only system, always restarted, secrets as credentials', () => {
  const config = join(directory, 'agent.yaml');
  writeFileSync(config, AGENT);
  const { status, stdout } = printed('agent', config, '--credential', 'office.token=/srv/token', '--group', 'docker');
  assert.equal(status, 0);
  for (const line of [
    'Restart=always',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    'DynamicUser=yes',
    'StateDirectory=postern-agent',
    'LoadCredential=office.token:/srv/token',
    'SupplementaryGroups=docker',
    'CapabilityBoundingSet=',
    `Environment=${GIVE_MEMORY_BACK}`,
  ])
    assert.ok(stdout.split('\n').includes(line), line);
  assert.match(stdout, new RegExp(`^ExecStart=.* agent --config ${config}$`, 'm'));
});

test('what systemd says of the units: valid, and hardly exposed', { skip: !HAS_SYSTEMD }, () => {
  for (const what of ['agent', 'relay'] as const) {
    const unit = systemdUnit({
      what,
      program: [process.execPath, MAIN],
      config: `/etc/postern/${what}.yaml`,
      credentials: { secret: '/etc/postern/secret' },
      groups: [],
      lowPort: what === 'relay',
      nodeExtraCaCerts: undefined,
    });
    const path = join(directory, `postern-${what}.service`);
    writeFileSync(path, unit);
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    assert.equal(`${verified.stdout}${verified.stderr}`.includes(`postern-${what}`), false, verified.stderr);
    assert.equal(verified.status, 0);
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', path], {
      encoding: 'utf8',
    });
    const [, exposure] = /exposure level for .*: ([\d.]+)/.exec(security.stdout) ?? [];
    assert.ok(Number(exposure) < 2.5, `exposure ${exposure}`);
  }
});

test('words of a command line that systemd would read are written so that it does not', () => {
  const unit = systemdUnit({
    what: 'agent',
    program: ['/opt/my node/bin/node', '/opt/100%/$main.js'],
    config: '/etc/"x".yaml',
    credentials: {},
    groups: [],
    lowPort: false,
    nodeExtraCaCerts: undefined,
  });
  assert.match(
    unit,
    /^ExecStart="\/opt\/my node\/bin\/node" "?\/opt\/100%%\/\$\$main\.js"? agent --config "\/etc\/\\"x\\"\.yaml"$/m,
  );
});

test('a file that is not there, and a state directory that the service could not write, are said', () => {
  assert.match(printed('relay', '/nowhere/postern.yaml').stderr, /\/nowhere\/postern\.yaml cannot be read/);
  const config = join(directory, 'local.yaml');
  writeFileSync(config, AGENT.replace('credential:office.token', './t').replace('/var/lib/postern-agent', './state'));
  const { status, stderr } = printed('agent', config);
  assert.equal(status, 0);
  assert.match(stderr, /Set "stateDir: \/var\/lib\/postern-agent"/);
});
