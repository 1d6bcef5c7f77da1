import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { type AgentOptions, addAgentOptions, agentConfigOf, generatedNames } from '../../src/cli/agent-options.ts';
import { enrollmentTokenFileText } from '../../src/config/enrollment-token.ts';

function optionsOf(...args: string[]): AgentOptions {
  const command = addAgentOptions(new Command('agent'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: 'user' }).opts<AgentOptions>();
}
const BASE = ['--relay', 'https://access.example.com', '--name', 'office'];

test('one line says what agent.yaml says', () => {
  const config = agentConfigOf(
    optionsOf(
      ...BASE,
      '--http',
      'wiki=localhost:8080',
      '--tcp',
      'db=localhost:5432',
      '--ssh',
      'build01=10.0.0.5',
      '--heartbeat',
      '5s',
    ),
  );
  assert.equal(config.heartbeatMs, 5000);
  assert.deepEqual(Object.keys(config.targets), ['wiki', 'db', 'build01']);
  assert.deepEqual(config.targets['build01'], { kind: 'tcp', host: '10.0.0.5', port: 22, protocol: 'ssh' });
});

test('a web app without a name gets one that stays the same for this agent and target', () => {
  const options = optionsOf(...BASE, '--http', 'localhost:8080');
  const [made] = generatedNames(options);
  assert.match(made?.name ?? '', /^office-[0-9a-f]{8}$/);
  assert.deepEqual(Object.keys(agentConfigOf(options).targets), [made?.name]);
  assert.deepEqual(generatedNames(optionsOf(...BASE, '--http', 'localhost:8080')), [made]);
  assert.notEqual(generatedNames(optionsOf(...BASE, '--http', 'localhost:8081'))[0]?.name, made?.name);
});

test('what cannot be meant is refused: twice the same, no name where one is needed, a file and options at once', () => {
  assert.throws(() => optionsOf(...BASE, '--tcp', 'localhost:5432'));
  assert.throws(() => optionsOf(...BASE, '--http', 'a=x:1', '--http', 'a=x:2'));
  assert.throws(() => agentConfigOf(optionsOf(...BASE, '--http', 'a=x:1', '--tcp', 'a=x:2')), /two targets/);
  assert.throws(() => agentConfigOf(optionsOf('--config', 'x.yaml', ...BASE)), /not both/);
  assert.throws(() => agentConfigOf(optionsOf('--name', 'office', '--http', 'a=x:1')), /--relay/);
  assert.throws(() => agentConfigOf(optionsOf('--relay', 'https://access.example.com', '--http', 'a=x:1')), /--name/);
});

test('an agent that is told no name is the one that its token enrolls', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'postern-agent-options-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 't');
  const words = ['--relay', 'https://access.example.com', '--enroll-token-file', file, '--http', 'wiki=localhost:8080'];
  writeFileSync(file, enrollmentTokenFileText('f00d', 'office'));
  assert.equal(agentConfigOf(optionsOf(...words)).name, 'office');
  assert.equal(agentConfigOf(optionsOf(...words, '--name', 'other')).name, 'other');
  writeFileSync(file, 'f00d\n');
  assert.throws(
    () => agentConfigOf(optionsOf(...words)),
    /does not say which agent it enrolls. Give the agent's name as well/,
  );
});
