import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { configCheck } from '../../src/cli/config-check.ts';
import { GIVE_MEMORY_BACK } from '../../src/cli/systemd-unit.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { createNetworks } from '../../src/lib/networks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string) => readFileSync(`${root}${file}`, 'utf8');

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly network_mode?: string;
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { ipam?: { config: { subnet: string }[] } }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const names = (list: readonly string[] | Readonly<Record<string, unknown>> = []): readonly string[] =>
  Array.isArray(list) ? (list as string[]) : Object.keys(list);

/** No engine runs here: what can be known without one. */
describe('docker-compose.yml', () => {
  const compose = parse(read('docker-compose.yml')) as Compose;
  const services = Object.entries(compose.services);

  test('the files that it mounts can be used', () => {
    for (const file of ['postern.yaml', 'agent.yaml']) {
      const { ok, text } = configCheck(`${root}deploy/compose/${file}`);
      assert.ok(ok, text);
    }
    const dex = parse(read('deploy/compose/dex.yaml')) as {
      issuer: string;
      staticClients: { id: string; secret: string; redirectURIs: string[] }[];
    };
    const relay = loadRelayConfig(`${root}deploy/compose/postern.yaml`);
    const [client] = dex.staticClients;
    assert.equal(relay.provider.issuer, dex.issuer);
    assert.equal(relay.provider.clientId, client?.id);
    assert.equal(relay.provider.clientSecret.reveal(), client?.secret);
    assert.deepEqual(client?.redirectURIs, [`${relay.relay.origin}/oidc/callback`]);
  });

  test('names only what it defines', () => {
    for (const [name, { networks, network_mode: mode, volumes = [], depends_on: needs }] of services) {
      for (const network of names(networks)) assert.ok(network in compose.networks, `${name}: ${network}`);
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        if (!source.startsWith('.')) assert.ok(source in compose.volumes, `${name}: ${source}`);
        else assert.ok(existsSync(`${root}${source}`), `${name}: ${source}`);
      }
      for (const other of names(needs)) assert.ok(other in compose.services, `${name} needs ${other}`);
      if (mode !== undefined) assert.ok(mode.replace('service:', '') in compose.services, `${name}: ${mode}`);
    }
  });

  test('publishes on loopback only, and the app meets the agent alone', () => {
    for (const [, { ports = [] }] of services) for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
    const networksOf = (each: Service) =>
      names((compose.services[each.network_mode?.replace('service:', '') ?? ''] ?? each).networks);
    const beside = (network: string) =>
      services.filter(([, each]) => networksOf(each).includes(network)).map(([name]) => name);
    assert.deepEqual(beside('apps'), ['way-out', 'agent', 'whoami']);
    assert.deepEqual(beside('inner'), ['database', 'provider', 'relay']);
    const subnet = compose.networks['edge']?.ipam?.config[0]?.subnet ?? '';
    const { trustedProxies } = loadRelayConfig(`${root}deploy/compose/postern.yaml`).relay;
    assert.ok(createNetworks(trustedProxies)(subnet.replace(/0\/24$/, '1')), 'the gateway of its network is trusted');
  });

  test('relay and agent, which are restarted, find the network that they are in again', () => {
    for (const name of ['relay', 'agent']) {
      const { network_mode: mode = '', depends_on: needs } = compose.services[name] ?? {};
      const owner = mode.replace('service:', '');
      assert.notEqual(owner, '', name);
      assert.ok(!names(needs).includes(owner), `${name}: said again, Compose does not restart it with ${owner}`);
      assert.ok(
        services.every(([, other]) => other.network_mode !== `service:${name}`),
        `somebody is in ${name}'s`,
      );
    }
  });

  test('the database is healthy when it answers others', () => {
    const { test: probe = [] } = compose.services['database']?.healthcheck ?? {};
    assert.ok(probe.includes('-h'), 'its first start answers on the socket before it is ready');
  });

  test('images have a version', () => {
    for (const [name, { image, build }] of services)
      if (build === undefined) assert.match(image ?? '', /:v?\d+[\w.-]*$/, name);
  });
});

test('units and containers let what is freed go back to the system', () => {
  assert.match(read('Dockerfile'), new RegExp(`^ENV ${GIVE_MEMORY_BACK}$`, 'm'));
  assert.match(read('docs/first-deployment.md'), new RegExp(`^Environment=${GIVE_MEMORY_BACK}$`, 'm'));
});

describe('docs/first-deployment.md', () => {
  const text = read('docs/first-deployment.md');

  test('leads to pages that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link = '']) => link);
    assert.ok(links.length >= 3);
    for (const link of links) assert.doesNotThrow(() => read(`docs/${link}`), link);
  });

  test('the unit gives the relay longer than it drains, and the port it needs', () => {
    const unit = /```ini\n(\[Unit\]\nDescription=Postern relay[\s\S]*?)```/.exec(text)?.[1] ?? '';
    assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1]) >= 20);
    assert.match(unit, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
    assert.doesNotMatch(unit, /^MemoryDenyWriteExecute=yes/m, 'JavaScript is compiled while it runs');
  });
});
