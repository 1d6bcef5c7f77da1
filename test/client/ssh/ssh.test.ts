import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { sshArguments } from '../../../src/client/ssh/arguments.ts';
import { sshConfigBlock } from '../../../src/client/ssh/config-block.ts';
import { writeSshConfig } from '../../../src/client/ssh/config-file.ts';
import { hostKeyAlias, proxyCommand } from '../../../src/client/ssh/proxy-command.ts';
import { missing } from '../../apps/missing.ts';

const relay = 'https://access.example.com';
const skip = missing(['/usr/bin/ssh'], 'openssh-client');

function home(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'postern-ssh-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

describe('the words for ssh', () => {
  const call = { rest: [], relay, profile: 'work', program: ['/usr/bin/node', '/opt/postern/main.js'] };

  test('lead through the relay, remember host keys by resource, and leave the rest to ssh', () => {
    const words = sshArguments({ ...call, destination: 'alice@build01', rest: ['-v', '--', 'uptime', '-p'] });
    assert.deepEqual(words, [
      '-o',
      'ProxyCommand=/usr/bin/node /opt/postern/main.js connect build01 --profile work -L -',
      '-o',
      'HostKeyAlias=postern-access.example.com-build01',
      'alice@build01',
      '-v',
      '--',
      'uptime',
      '-p',
    ]);
    const [, , , , destination] = sshArguments({ ...call, destination: 'build01.access.example.com' });
    assert.equal(destination, 'build01');
  });

  test('are refused where they could be something else to ssh or a shell', () => {
    const odd = [
      '-oProxyCommand=id',
      "x';id;'",
      '$(id)',
      'a b',
      'a%h',
      '',
      'alice@',
      '@',
      '-l@build01',
      'a$b@build01',
      '%u@build01',
      'ü',
    ];
    for (const destination of odd)
      assert.throws(() => sshArguments({ ...call, destination }), { code: 'request_invalid' }, destination);
    assert.throws(() => proxyCommand({ resource: 'a', profile: 'b', program: ['/bin/a\nProxyCommand id'] }), {
      code: 'config_invalid',
    });
  });

  test('survive a shell and ssh whatever path the program has', { skip }, (t) => {
    const directory = join(home(t), `a b'c"d$(id)%h;#\\`);
    mkdirSync(directory);
    const script = join(directory, 'say.sh');
    writeFileSync(script, '#!/bin/sh\nprintf "%s\\n" "$@" > "$0.said"\n', { mode: 0o700 });
    const words = sshArguments({ ...call, program: [script], destination: 'build01' });
    // It ends as the connection that this script does not give.
    assert.throws(() => execFileSync('ssh', ['-F', '/dev/null', ...words], { stdio: 'ignore', timeout: 10_000 }));
    assert.deepEqual(readFileSync(`${script}.said`, 'utf8').split('\n').slice(0, -1), [
      'connect',
      'build01',
      '--profile',
      'work',
      '-L',
      '-',
    ]);
  });
});

describe('the part of ~/.ssh/config', () => {
  const block = sshConfigBlock({
    relay: 'https://access.example.com:8443',
    profile: 'work',
    resources: ['web', 'build01'],
    program: ['/usr/bin/node', '/opt/my postern/main.js'],
  });

  test('is understood by ssh, for these hosts and no others', { skip }, (t) => {
    const file = join(home(t), 'config');
    writeFileSync(file, block, { mode: 0o600 });
    const options = (host: string) => execFileSync('ssh', ['-F', file, '-G', host], { encoding: 'utf8' });
    const found = options('build01.access.example.com');
    assert.match(found, /^hostkeyalias postern-access\.example\.com-8443-build01$/m);
    assert.match(
      found,
      /^proxycommand \/usr\/bin\/node '\/opt\/my postern\/main\.js' connect build01 --profile work -L -$/m,
    );
    for (const other of ['access.example.com', 'other.access.example.com', 'build01'])
      assert.doesNotMatch(options(other), /proxycommand/, other);
  });

  test('is written once, included at the top, and the rest of the file stays', (t) => {
    const directory = home(t);
    const first = writeSshConfig(block, 'work', directory);
    assert.equal(readFileSync(first.file, 'utf8'), block);
    assert.equal(lstatSync(first.file).mode & 0o777, 0o600);
    const config = join(directory, '.ssh', 'config');
    assert.equal(readFileSync(config, 'utf8'), `Include "${join(directory, '.ssh', 'postern')}/*.conf"\n`);

    const kept = join(directory, 'dotfiles-config');
    rmSync(config);
    writeFileSync(kept, 'Host home\n  User me\n');
    chmodSync(kept, 0o644);
    symlinkSync(kept, config);
    for (let times = 0; times < 2; times += 1) writeSshConfig(`${block}# changed\n`, 'work', directory);
    const include = `Include "${join(directory, '.ssh', 'postern')}/*.conf"\n`;
    assert.equal(readFileSync(kept, 'utf8'), `${include}\nHost home\n  User me\n`);
    assert.equal(lstatSync(kept).mode & 0o777, 0o644);
    assert.ok(lstatSync(config).isSymbolicLink());
    assert.equal(readFileSync(first.file, 'utf8'), `${block}# changed\n`);
  });

  test('names host keys by relay and resource', () => {
    assert.equal(hostKeyAlias('build01', relay), 'postern-access.example.com-build01');
  });
});
