import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { messageOf } from '../../src/lib/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'postern-networks-'));
after(() => rmSync(directory, { recursive: true }));

function write(rest: string): string {
  const file = join(directory, 'agent.yaml');
  writeFileSync(file, `relay: http://postern.localhost\nname: office\n${rest}`);
  return file;
}

function problems(rest: string): string[] {
  try {
    loadAgentConfig(write(rest));
    return [];
  } catch (error) {
    return messageOf(error)
      .replaceAll(`${join(directory, 'agent.yaml')}:`, '')
      .split('\n');
  }
}

test('an agent may have networks and nothing else', () => {
  const { networks, targets } = loadAgentConfig(
    write(
      "networks:\n  lan: { hosts: ['*.corp.internal'], addresses: [10.0.0.0/8, 127.0.0.1], ports: [22, '5000-5999'] }\n",
    ),
  );
  const addresses = ['10.0.0.0/8', '127.0.0.1'];
  assert.deepEqual(networks, { lan: { hosts: ['*.corp.internal'], addresses, ports: ['22', '5000-5999'] } });
  assert.deepEqual(targets, {});
  assert.match(problems('')[0] ?? '', /"targets" is empty, and so is "networks"/);
});

test('mistakes in networks, each at its place', () => {
  const of = (entry: string) => problems(`networks:\n  lan: ${entry}\n`);
  const table: [string, RegExp][] = [
    ['{ ports: [22] }', /^4:8: a network needs "hosts" or "addresses"/],
    ["{ hosts: ['*'] }", /^4:8: "networks\.lan" lacks "ports"/],
    ["{ hosts: ['a*.lan'], ports: [22] }", /^4:18: "a\*\.lan" must be a name/],
    ['{ hosts: [10.0.0.1], ports: [22] }', /^4:18: "10\.0\.0\.1" must be a name/],
    ['{ addresses: [10.0.0.1/8], ports: [22] }', /^4:22: .*no bits behind the prefix/],
    ['{ addresses: [db.lan], ports: [22] }', /^4:22: "db\.lan" must be an address/],
    ['{ addresses: [127.0.0.0/8], ports: [22] }', /^4:22: .*special addresses only .*one by one/],
    ['{ addresses: ["::ffff:0:0/96"], ports: [22] }', /^4:22: .*one by one/],
    ['{ addresses: [10.0.0.1], ports: [0] }', /^4:41: /],
    ["{ addresses: [10.0.0.1], ports: ['90-80'] }", /^4:41: "90-80" must be a port, a range/],
    ['{ addresses: [10.0.0.1], ports: [true] }', /^4:41: /],
    ['{ addresses: [10.0.0.1], ports: [22], to: x }', /unknown key "to"/],
  ];
  for (const [entry, expected] of table) assert.match(of(entry)[0] ?? 'nothing', expected, entry);
  const twice = "targets: { lan: 'localhost:1' }\nnetworks: { lan: { hosts: ['*'], ports: ['*'] } }\n";
  assert.match(problems(twice)[0] ?? '', /^4:13: "lan" is already one of "targets"/);
});

test('networks that would not fit into one message to the relay are refused', () => {
  const hosts = Array.from({ length: 500 }, (_, n) => `host-${n}.${'x'.repeat(60)}.lan`);
  assert.match(
    problems(`networks: { lan: { hosts: [${hosts.join(', ')}], ports: [22] } }\n`)[0] ?? '',
    /longer than 32768 bytes/,
  );
});
