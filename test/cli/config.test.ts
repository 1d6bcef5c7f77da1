import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FILE_KINDS, jsonSchemaText } from '../../src/cli/config-schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'postern-init-'));
after(() => rmSync(directory, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function postern(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'src/main.ts'), ...args], (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

describe('config init', () => {
  const made = join(directory, 'made');

  test('writes files that can be used once the secret is there', async () => {
    const { code, out } = await postern('config', 'init', '--dir', made);
    assert.equal(code, 0);
    assert.match(out, /made\/postern\.yaml\n/);
    const before = await postern('config', 'check', join(made, 'postern.yaml'));
    assert.equal(before.code, 1);
    assert.match(before.err, /^[^\n]*postern\.yaml:\d+:\d+: The secret file .*client-secret cannot be read/);
    writeFileSync(join(made, 'client-secret'), 'hunter2\n');
    for (const file of ['postern.yaml', 'agent.yaml', 'policies', 'policies/rules.yaml'])
      assert.equal((await postern('config', 'check', join(made, file))).code, 0, file);
  });

  test('what is commented out can be used too', async () => {
    const file = join(directory, 'made', 'all.yaml');
    const text = readFileSync(join(made, 'postern.yaml'), 'utf8');
    const uncommented = text.replace(
      /^( *)# (?=(trustedProxies|metrics|drain|scopes|groupsClaim|sessions|host|description|tags|owner|headers):)/gm,
      '$1',
    );
    assert.notEqual(uncommented, text);
    writeFileSync(file, uncommented);
    assert.deepEqual((await postern('config', 'check', file)).err, '');
  });

  test('overwrites nothing', async () => {
    const before = readFileSync(join(made, 'postern.yaml'), 'utf8');
    const again = await postern('config', 'init', '--dir', made);
    assert.equal(again.code, 1);
    assert.match(again.err, /Nothing was written, since there is already: .*postern\.yaml/);
    assert.equal(readFileSync(join(made, 'postern.yaml'), 'utf8'), before);

    const half = join(directory, 'half');
    await postern('config', 'init', '--dir', half);
    rmSync(join(half, 'postern.yaml'));
    assert.equal((await postern('config', 'init', '--dir', half)).code, 1);
    assert.equal(readdirSync(half).includes('postern.yaml'), false);
  });

  test('editors find the schema of each file beside it', () => {
    for (const [file, schema] of [
      ['postern.yaml', './schemas/relay.schema.json'],
      ['agent.yaml', './schemas/agent.schema.json'],
      ['policies/rules.yaml', '../schemas/policy.schema.json'],
    ] as const) {
      assert.equal(readFileSync(join(made, file), 'utf8').split('\n')[0], `# yaml-language-server: $schema=${schema}`);
      assert.doesNotThrow(() => void JSON.parse(readFileSync(join(made, file, '..', schema), 'utf8')), schema);
    }
  });
});

describe('config schema', () => {
  for (const kind of FILE_KINDS)
    test(`docs/reference/${kind}.schema.json is what the command prints`, async () => {
      const { out } = await postern('config', 'schema', kind);
      assert.equal(out, jsonSchemaText(kind));
      assert.equal(
        readFileSync(join(root, `docs/reference/${kind}.schema.json`), 'utf8'),
        out,
        `npm run -s postern config schema ${kind} > docs/reference/${kind}.schema.json`,
      );
      const schema = JSON.parse(out) as { type: string; additionalProperties: boolean };
      assert.equal(schema.type, 'object');
      assert.equal(schema.additionalProperties, false, 'an unknown key is a mistake in editors too');
    });
});

describe('config show --effective', () => {
  const file = join(directory, 'postern.yaml');
  writeFileSync(join(directory, 'client-secret'), 'hunter2\n');
  writeFileSync(
    file,
    `relay: { url: http://postern.localhost:8080, listen: 127.0.0.1:8080 }
database:
  url: postgres://postern:hunter2@127.0.0.1/postern
provider: { issuer: http://localhost:1, clientId: postern, clientSecretFile: ./client-secret }
roles: { admin: { groups: [security] } }
agents: { office: {} }
resources:
  wiki:
    agent: office
    paths: lenient
`,
  );
  const settingOf = (out: string, name: string) =>
    out
      .split('\n')
      .find((line) => line.split(/ {2,}/)[0] === name)
      ?.split(/ {2,}/)
      .slice(1);

  test('each setting with its value and origin', async () => {
    const { code, out } = await postern('config', 'show', '--effective', file);
    assert.equal(code, 0);
    assert.deepEqual(settingOf(out, 'relay.listen'), ['127.0.0.1:8080', `${file}:1`]);
    assert.deepEqual(settingOf(out, 'relay.drain'), ['10s', 'default']);
    assert.deepEqual(settingOf(out, 'resources.wiki.paths'), ['lenient', `${file}:10`]);
    assert.deepEqual(settingOf(out, 'resources.wiki.host'), ['wiki.postern.localhost', 'default']);
    assert.deepEqual(settingOf(out, 'database.url'), ['[secret]', `${file}:3`]);
    assert.doesNotMatch(out, /hunter2/);
  });

  test('nothing of a file that cannot be used', async () => {
    const broken = join(directory, 'broken.yaml');
    writeFileSync(broken, 'relay: {}\n');
    const { code, out, err } = await postern('config', 'show', '--effective', broken);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /broken\.yaml:1:8: "relay" lacks "url"/);
  });
});
