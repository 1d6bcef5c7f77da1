import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { AgentFileSchema } from '../../src/config/agent-config.ts';
import { AGENT_DEFAULTS, RELAY_DEFAULTS } from '../../src/config/defaults.ts';
import { RelayFileSchema } from '../../src/config/relay-schema.ts';
import { PolicyFileSchema } from '../../src/policy/policy-schema.ts';
import { Meters } from '../../src/relay/metrics/meters.ts';

const docs = fileURLToPath(new URL('../../docs/reference/', import.meta.url));
const text = readFileSync(`${docs}configuration.md`, 'utf8');
/** Setting → the rest of its row. */
const rows = new Map(
  [...text.matchAll(/^\| `([^`]+)` \|(.*)\|$/gm)].map(([, setting = '', rest = '']) => [setting, rest]),
);

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

/** The settings of a schema; a person's own names as `<name>`. */
function settingsOf(schema: object, path = ''): string[] {
  const { properties, patternProperties, items, anyOf = [] } = schema as Schema;
  const object = anyOf.find((each) => each.properties);
  if (object) return [path, ...settingsOf(object, path)];
  if (items?.properties) return settingsOf(items, `${path}[]`);
  const named = Object.values(patternProperties ?? {}).map((each) => ['<name>', each] as const);
  const inner = [...Object.entries(properties ?? {}), ...named];
  return inner.length === 0
    ? [path]
    : inner.flatMap(([key, each]) => settingsOf(each, path === '' ? key : `${path}.${key}`));
}

/** As the page writes it: roles and resources have a table row or table of their own. */
function written(setting: string): string {
  return setting
    .replace(/^(roles\.\w+)\..*/, '$1')
    .replace(/^resources\.<name>\./, '')
    .replace(/^headers\.<name>$/, 'headers')
    .replace('targets.<name>', 'targets.<resource>');
}

describe('docs/reference/configuration.md', () => {
  for (const [name, schema] of Object.entries({ RelayFileSchema, AgentFileSchema, PolicyFileSchema }))
    test(`has every setting of ${name}`, () => {
      const settings = settingsOf(schema);
      assert.ok(settings.length > 5);
      assert.deepEqual(
        settings.map(written).filter((setting) => !rows.has(setting)),
        [],
      );
    });

  test('has no setting that does not exist', () => {
    const known = new Set(
      [RelayFileSchema, AgentFileSchema, PolicyFileSchema].flatMap((each) => settingsOf(each).map(written)),
    );
    known.add('resources.<name>');
    assert.deepEqual(
      [...rows.keys()].filter((setting) => !known.has(setting)),
      [],
    );
  });

  test('states the defaults that hold', () => {
    for (const [setting, value] of Object.entries({ ...RELAY_DEFAULTS, ...AGENT_DEFAULTS })) {
      const stated = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
      assert.ok(rows.get(setting)?.trim().startsWith(`\`${stated}\` |`), `${setting}: ${stated}`);
    }
  });
});

test('docs/reference/metrics.md has every metric, and no other', async () => {
  const meters = new Meters();
  meters.watch({
    live: () => [],
    tunnels: () => [],
    clientTunnels: () => 0,
    leases: () => [],
    auditWaiting: () => 0,
    auditSize: () => 0,
    sessions: () => ({ cached: 0, hits: 0, misses: 0 }),
    silenceMs: () => 0,
  });
  const real = (await meters.registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('postern_'));
  const page = readFileSync(`${docs}metrics.md`, 'utf8');
  const documented = [...page.matchAll(/^\| `(postern_\w+)`/gm)].map(([, name = '']) => name);
  assert.deepEqual(documented.toSorted(), real.toSorted());
});
