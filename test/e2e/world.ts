import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { randomToken } from '../../src/lib/bytes.ts';
import { isTunnelReady, relayAnswers } from '../../trial/chain.ts';
import { launch, type Program } from '../../trial/program.ts';
import { startProvider } from '../../trial/provider.ts';
import { eventually } from '../eventually.ts';
import { startPostgres } from '../store/databases.ts';
import { freePort } from './free-port.ts';
import type { Namespace } from './netns.ts';

export interface WorldOptions {
  readonly database: 'postgres' | 'embedded';
  /** Resource → what the agent dials (`http://host:port`), or that with further keys of postern.yaml. */
  readonly resources: Readonly<Record<string, string | ({ readonly target: string } & Record<string, unknown>)>>;
  /** Network resource → what the agent lists for it. */
  readonly networks?: Readonly<Record<string, object>>;
  /** Further keys under `relay` of postern.yaml. */
  readonly relay?: Readonly<Record<string, unknown>>;
  /** Rules; default: employees may use everything, denied with a sentence of its own. */
  readonly policy?: unknown;
  /** The agent (and, by the caller, its targets) live in there. */
  readonly namespace?: Namespace;
}

/** A whole installation of its own: database, provider, relay and agent as child processes. Gone when disposed. */
export interface World extends AsyncDisposable {
  /** Origin of the relay. */
  readonly relay: string;
  readonly port: number;
  readonly directory: string;
  origin(resource: string): string;
  relayProgram(): Program;
  agentProgram(): Program;
  /** kill -9 of the relay, and a new one on the same data; resolves when the agent (or a new one) is back on it. */
  killRelay(options?: { readonly agentToo?: boolean }): Promise<void>;
  /** Replaces the rules; the relay notices by itself. */
  writePolicy(policy: unknown): void;
}

const READY_LIMIT_MS = 40_000;

export const EMPLOYEES_ONLY = {
  rules: [
    {
      id: 'employees-use-everything',
      effect: 'allow',
      who: ['provider:employees'],
      what: ['any-resource'],
      message: 'This is for employees.',
    },
  ],
};

export async function startWorld(options: WorldOptions): Promise<World> {
  await using undo = new AsyncDisposableStack();
  const { networks = {} } = options;
  const directory = mkdtempSync(join(tmpdir(), 'postern-world-'));
  undo.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const cluster = options.database === 'postgres' ? undo.use(await startPostgres()) : undefined;
  const port = await freePort();
  const relay = `http://postern.localhost:${port}`;
  const clientSecret = randomToken();
  const provider = undo.use(
    await startProvider({ port: await freePort(), directory: join(directory, 'provider'), relay, clientSecret }),
  );
  if (options.namespace) await options.namespace.leadOut(port);

  const file = (name: string, content: unknown): string => {
    const path = join(directory, name);
    writeFileSync(path, typeof content === 'string' ? content : stringify(content), { mode: 0o600 });
    return path;
  };
  file('client-secret', clientSecret);
  const writePolicy = (policy: unknown) => void file('policies/rules.yaml', policy);
  mkdirSync(join(directory, 'policies'));
  writePolicy(options.policy ?? EMPLOYEES_ONLY);
  const relayConfig = file('postern.yaml', {
    relay: {
      url: relay,
      listen: `127.0.0.1:${port}`,
      contact: 'it@example.com',
      // What leads out of the namespace stands between agent and relay.
      ...(options.namespace ? { trustedProxies: [options.namespace.inside] } : {}),
      drain: '0s',
      ...options.relay,
    },
    dataDir: './relay',
    ...(cluster ? { database: { url: (await cluster.createDatabase()).reveal() } } : {}),
    provider: { issuer: provider.issuer, clientId: 'postern', clientSecretFile: './client-secret' },
    roles: { admin: { groups: ['security'] }, security: { groups: ['security'] }, auditor: { groups: ['audit'] } },
    policy: { directory: './policies' },
    agents: { office: { enrollmentTokenFile: './office.token' } },
    resources: Object.fromEntries([
      ...Object.entries(options.resources).map(([name, resource]) => {
        const { target: _, ...keys } = typeof resource === 'string' ? { target: resource } : resource;
        return [name, { agent: 'office', ...('protocol' in keys ? {} : { websocket: true }), ...keys }] as const;
      }),
      ...Object.keys(networks).map((name) => [name, { agent: 'office', protocol: 'network' }] as const),
    ]),
  });
  const agentConfig = file('agent.yaml', {
    relay,
    name: 'office',
    enrollmentTokenFile: './office.token',
    stateDir: './agent',
    targets: Object.fromEntries(
      Object.entries(options.resources).map(([name, each]) => [name, typeof each === 'string' ? each : each.target]),
    ),
    networks,
  });

  const startRelay = async (): Promise<Program> => {
    const program = launch({
      name: 'relay',
      args: ['relay', '--config', relayConfig],
      logFile: join(directory, 'relay.log'),
      onLine: (line) => {
        if (line.level >= 50) process.stderr.write(`relay: ${line.text}\n`);
      },
    });
    await relayAnswers(relay, program, READY_LIMIT_MS);
    return program;
  };
  let relayProgram = await startRelay();
  undo.defer(() => relayProgram[Symbol.asyncDispose]());
  let tunnels = 0;
  const startAgent = (): Program =>
    launch({
      name: 'agent',
      args: ['agent', '--config', agentConfig],
      logFile: join(directory, 'agent.log'),
      onLine: (line) => {
        if (isTunnelReady(line)) tunnels += 1;
      },
      ...(options.namespace ? { prefix: options.namespace.prefix } : {}),
    });
  let agentProgram = startAgent();
  undo.defer(() => agentProgram[Symbol.asyncDispose]());
  await agentProgram.saw('the tunnel is ready', isTunnelReady, READY_LIMIT_MS);

  const held = undo.move();
  return {
    relay,
    port,
    directory,
    origin: (resource) => `http://${resource}.postern.localhost:${port}`,
    relayProgram: () => relayProgram,
    agentProgram: () => agentProgram,
    async killRelay({ agentToo = false } = {}) {
      relayProgram.kill('SIGKILL');
      if (agentToo) agentProgram.kill('SIGKILL');
      await relayProgram.ended;
      const before = tunnels;
      relayProgram = await startRelay();
      if (agentToo) agentProgram = startAgent();
      await eventually(
        () => tunnels !== before,
        () => 'The agent did not come back to the new relay.',
      );
    },
    writePolicy,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
