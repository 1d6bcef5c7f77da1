import { dirname, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { PosternError } from '../lib/errors.ts';
import type { HttpProxy } from '../lib/http-proxy.ts';
import type { NetworkTexts } from '../lib/network/network-list.ts';
import { MAX_NETWORKS_BYTES, NetworkSchema, readNetwork } from './agent-network.ts';
import { type AgentTarget, readTarget, TargetSchema } from './agent-target.ts';
import { AGENT_DEFAULTS } from './defaults.ts';
import { resolveSecretFile } from './file-reference.ts';
import { proxyFromEnvironment, readProxy } from './http-proxy.ts';
import { Problems } from './problem.ts';
import { DurationSchema, FileSchema, NameSchema, named } from './schema-parts.ts';
import { isLoopbackName, parseDurationMs, parseOrigin } from './values.ts';
import { loadYaml, parseYaml, type YamlDocument } from './yaml-document.ts';

/** agent.yaml, complete: defaults filled in, paths absolute. */
export interface AgentConfig {
  /** Origin of the relay. */
  readonly relay: string;
  readonly name: string;
  readonly enrollmentTokenFile?: string;
  /** Holds the key pair and the pinned keys of the relay. */
  readonly stateDir: string;
  readonly heartbeatMs: number;
  /** Between here and the relay; from the file, else from HTTPS_PROXY. */
  readonly proxy?: HttpProxy;
  /** What this agent may dial, and nothing else; key: name of the resource. */
  readonly targets: Readonly<Record<string, AgentTarget>>;
  /** Destinations that it may dial besides; key: name of the network resource. */
  readonly networks: Readonly<Record<string, NetworkTexts>>;
}

/** The shape of agent.yaml. */
export const AgentFileSchema = Type.Object(
  {
    relay: Type.String({ description: 'the origin of the relay, such as https://access.example.com' }),
    name: NameSchema,
    enrollmentTokenFile: Type.Optional(FileSchema),
    stateDir: Type.Optional(FileSchema),
    heartbeat: Type.Optional(DurationSchema),
    proxy: Type.Optional(
      Type.Object(
        {
          url: Type.String({ description: 'the address of the proxy, such as http://user@proxy.example.com:3128' }),
          passwordFile: Type.Optional(FileSchema),
        },
        { additionalProperties: false },
      ),
    ),
    targets: Type.Optional(named(TargetSchema)),
    networks: Type.Optional(named(NetworkSchema)),
  },
  { additionalProperties: false },
);

/** The same keys as agent.yaml, from elsewhere. */
export type AgentFileInput = Static<typeof AgentFileSchema>;

/** Throws `config_invalid` whose message has one `file:line:column: problem` per line, for all problems at once. */
export function loadAgentConfig(file: string): AgentConfig {
  const problems = new Problems();
  const document = loadYaml(file, AgentFileSchema, problems);
  const config = document && readAgent(document, dirname(resolve(file)), problems);
  return complete(config, file, problems);
}

/** From options of the command line; paths are relative to the working directory. Throws as `loadAgentConfig`. */
export function agentConfigFrom(input: AgentFileInput): AgentConfig {
  const problems = new Problems();
  const document = parseYaml(JSON.stringify(input, undefined, 1), 'command line', AgentFileSchema, problems);
  const config = document && readAgent(document, process.cwd(), problems);
  return complete(config, 'The command line', problems);
}

function complete(config: AgentConfig | undefined, what: string, problems: Problems): AgentConfig {
  problems.throwIfAny('config_invalid');
  if (!config) throw new PosternError('config_invalid', `${what} cannot be used.`);
  return config;
}

function readAgent(
  document: YamlDocument<Static<typeof AgentFileSchema>>,
  base: string,
  problems: Problems,
): AgentConfig | undefined {
  const {
    relay,
    name,
    enrollmentTokenFile,
    stateDir = AGENT_DEFAULTS.stateDir,
    heartbeat = AGENT_DEFAULTS.heartbeat,
    targets = {},
  } = document.value;
  const url = parseOrigin(relay);
  const origin = url?.origin;
  if (url === undefined)
    problems.add(
      document.place('relay'),
      '"relay" must be an origin such as https://access.example.com, without a path',
    );
  else if (url.protocol === 'http:' && !isLoopbackName(url.hostname))
    problems.add(
      document.place('relay'),
      '"relay" must be https: whoever is on the way could take the enrollment token, or be the relay',
    );
  const heartbeatMs = parseDurationMs(heartbeat) ?? Number.NaN;
  if (!(heartbeatMs >= 100 && heartbeatMs <= 300_000))
    problems.add(document.place('heartbeat'), '"heartbeat" must be between 100ms and 5m');
  const networks = readNetworks(document, problems);
  if (Object.keys(targets).length + Object.keys(networks).length === 0)
    problems.add(
      document.place('targets'),
      '"targets" is empty, and so is "networks": name at least one target, such as wiki: http://127.0.0.1:7001',
    );

  const read = Object.entries(targets).map(([resource, entry]) => {
    const target = readTarget(entry, base);
    if (typeof target === 'string') problems.add(document.place('targets', resource), target);
    return [resource, target] as const;
  });
  if (origin === undefined) return undefined;
  const { proxy: via } = document.value;
  const passwordFile = via?.passwordFile === undefined ? undefined : resolveSecretFile(base, via.passwordFile);
  const proxy = via ? readProxy(via.url, passwordFile) : proxyFromEnvironment(origin, process.env);
  if (typeof proxy === 'string') problems.add(document.place('proxy'), proxy);
  return {
    relay: origin,
    name,
    ...(typeof proxy === 'object' ? { proxy } : {}),
    ...(enrollmentTokenFile === undefined ? {} : { enrollmentTokenFile: resolveSecretFile(base, enrollmentTokenFile) }),
    stateDir: resolve(base, stateDir),
    heartbeatMs,
    targets: Object.fromEntries(
      read.flatMap(([resource, target]) => (typeof target === 'string' ? [] : [[resource, target]])),
    ),
    networks,
  };
}

function readNetworks(
  document: YamlDocument<Static<typeof AgentFileSchema>>,
  problems: Problems,
): AgentConfig['networks'] {
  const { targets = {}, networks = {} } = document.value;
  const read = Object.entries(networks).map(([name, entry]) => {
    if (Object.hasOwn(targets, name))
      problems.add(document.keyPlace('networks', name), `"${name}" is already one of "targets"`);
    return [name, readNetwork(entry, (...path) => document.place('networks', name, ...path), problems)] as const;
  });
  if (Buffer.byteLength(JSON.stringify(networks)) > MAX_NETWORKS_BYTES)
    problems.add(
      document.place('networks'),
      `"networks" is longer than ${MAX_NETWORKS_BYTES} bytes; write wider patterns`,
    );
  return Object.fromEntries(read);
}
