import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Lookup } from '../../src/agent/network-targets.ts';
import { runAgent } from '../../src/agent/run.ts';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import type { AgentList } from '../../src/control/contract/agents.ts';
import { sha256 } from '../../src/lib/bytes.ts';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';
import { createLog } from '../../src/lib/log.ts';
import { type RunningRelay, startRelay } from '../../src/relay/start.ts';
import { freePort } from '../e2e/free-port.ts';
import { eventually } from '../eventually.ts';
import { Browser } from '../identity/browser.ts';
import { type HostileProvider, startHostileProvider } from '../identity/hostile-provider.ts';
import { startDatabases, temporaryDirectory } from '../store/databases.ts';

export const CLIENT_SECRET = 'the-secret-of-this-client';

export interface WholeRelay extends AsyncDisposable {
  readonly origin: string;
  readonly relay: RunningRelay;
  readonly provider: HostileProvider;
  readonly policyDirectory: string;
  /** Signs in at the provider, and gives the cookie header of the relay's host. */
  signIn(name: string, groups: readonly string[]): Promise<string>;
  /** A command line's token for the relay itself, from a session. */
  issueToken(cookie: string): Promise<string>;
  /** At the relay's own host, or at the host of an app by a whole URL. */
  ask(url: string, request?: Ask): Promise<Answer>;
  /** Origin of an app. */
  app(name: string): string;
  /** A token for an app, by somebody's session. */
  tokenFor(app: string, cookie: string): Promise<string>;
  /** Enrolls an agent (default `office`) and runs it until disposal; resolves when the relay has its announcement. */
  startAgent(
    targets: Readonly<Record<string, string>>,
    admin: string,
    name?: string,
    more?: AgentExtras,
  ): Promise<void>;
  /** A number of its Prometheus metrics, such as `postern_tunnels{agent="office"}`; undefined where there is none. */
  metric(series: string): Promise<number | undefined>;
  /** Replaces the rules; resolves when they are in force. */
  setRules(rules: readonly object[], security: string): Promise<void>;
}

export interface AgentExtras {
  /** As in agent.yaml. */
  readonly networks?: Readonly<Record<string, object>>;
  /** Stands for the DNS of the agent's network. */
  readonly lookup?: Lookup;
  /** Of its enrollment token. */
  readonly scope?: readonly string[];
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Address to ask from; default: another one each time. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WholeRelayOptions {
  /** Beside `office`. */
  readonly agents?: readonly string[];
  /** Beside `wiki` and `echo`. */
  readonly resources?: Readonly<Record<string, object>>;
  /** In place of one that lets everybody use `wiki` and `echo`. */
  readonly rules?: readonly object[];
  /** Ports to lease; default: none. */
  readonly leases?: object;
  /** How long what is open may go on when the relay stops; default `0s`. */
  readonly drain?: string;
}

/** The relay as `postern relay` composes it, on PostgreSQL, with a provider that signs in whom the test names. */
export async function startWholeRelay(options: WholeRelayOptions = {}): Promise<WholeRelay> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory()).path;
  const databases = undo.use(await startDatabases('postgres'));
  const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
  const { databaseUrl } = await databases.place('whole');
  const port = await freePort();
  const origin = `http://postern.localhost:${port}`;
  const policyDirectory = join(directory, 'policies');
  mkdirSync(policyDirectory);
  const rules = options.rules ?? [
    { id: 'everybody-uses-it', effect: 'allow', who: ['anyone-signed-in'], what: ['resource:wiki', 'resource:echo'] },
  ];
  writeFileSync(join(policyDirectory, 'rules.yaml'), stringify({ rules }));
  writeFileSync(join(directory, 'client-secret'), CLIENT_SECRET, { mode: 0o600 });
  const file = join(directory, 'postern.yaml');
  writeFileSync(
    file,
    stringify({
      relay: { url: origin, listen: `127.0.0.1:${port}`, drain: options.drain ?? '0s', metrics: '127.0.0.1:0' },
      dataDir: './data',
      database: { url: databaseUrl?.reveal() },
      provider: { issuer: provider.issuer, clientId: 'postern', clientSecretFile: './client-secret' },
      roles: { admin: { groups: ['admins'] }, security: { groups: ['security'] }, auditor: { groups: ['audit'] } },
      policy: { directory: './policies' },
      ...(options.leases === undefined ? {} : { leases: options.leases }),
      agents: Object.fromEntries(['office', ...(options.agents ?? [])].map((name) => [name, {}])),
      resources: {
        wiki: { agent: 'office' },
        echo: { agent: 'office', headers: { 'Remote-User': 'email', 'X-Groups': 'groups' } },
        ...options.resources,
      },
    }),
    { mode: 0o600 },
  );
  const relay = await startRelay(loadRelayConfig(file), {
    log: createLog('silent'),
    signal: new AbortController().signal,
  });
  undo.defer(() => relay.close());

  const app = (name: string) => origin.replace('postern.', `${name}.postern.`);
  const held = undo.move();
  const ask: WholeRelay['ask'] = (path, request) => exchange(new URL(path, origin), request);
  return {
    origin,
    relay,
    provider,
    policyDirectory,
    ask,
    app,
    async tokenFor(name, cookie) {
      const headers = { cookie, ...ourPage(origin) };
      const answer = await ask('/api/v1/tokens', {
        method: 'POST',
        headers,
        body: JSON.stringify({ audience: app(name) }),
      });
      return (JSON.parse(answer.body) as { token: string }).token;
    },
    async startAgent(targets, admin, name = 'office', { networks = {}, lookup, scope = [] } = {}) {
      const headers = { cookie: admin, ...ourPage(origin) };
      const created = await ask(`/api/v1/agents/${name}/tokens`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ scope }),
      });
      writeFileSync(join(directory, `${name}.token`), (JSON.parse(created.body) as { token: string }).token, {
        mode: 0o600,
      });
      const agentFile = join(directory, `${name}.yaml`);
      const stateDir = `./${name}`;
      const agent = { relay: origin, name, enrollmentTokenFile: `./${name}.token`, stateDir, targets, networks };
      writeFileSync(agentFile, stringify(agent));
      const stopping = new AbortController();
      const running = runAgent(loadAgentConfig(agentFile), {
        signal: stopping.signal,
        log: createLog('silent'),
        ...(lookup && { lookup }),
      });
      held.defer(async () => {
        stopping.abort();
        await running;
      });
      await eventually(async () => {
        const { body } = await ask('/api/v1/agents', { headers: { cookie: admin } });
        const { agents } = JSON.parse(body) as AgentList;
        const started = agents.find((each) => each.name === name);
        return started?.tunnels.some(({ resources }) => resources.length > 0) || undefined;
      });
    },
    async metric(series) {
      const text = await (await fetch(`${relay.metricsUrl}/metrics`)).text();
      const line = text.split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length));
    },
    async setRules(next, security) {
      const seen = async () => (await ask('/api/v1/policy', { headers: { cookie: security } })).body;
      const before = await seen();
      writeFileSync(join(policyDirectory, 'rules.yaml'), stringify({ rules: next }));
      await eventually(async () => (await seen()) !== before || undefined);
    },
    async signIn(name, groups) {
      provider.variant = { claims: { sub: name, email: `${name}@example.com`, email_verified: true, name, groups } };
      const browser = new Browser();
      await browser.visit(`${origin}/sign-in?return=/signed-out`);
      return browser.cookieHeader(new URL(origin));
    },
    async issueToken(cookie) {
      const verifier = 'v'.repeat(43);
      const redirectUri = 'http://127.0.0.1:4000/callback';
      const challenge = sha256(verifier).toString('base64url');
      const asked = { redirectUri, state: 's', challenge, machine: 'test', answer: 'allow' };
      const headers = { cookie, ...ourPage(origin) };
      const allowed = await ask('/cli/authorize', { method: 'POST', headers, body: JSON.stringify(asked) });
      const { location } = JSON.parse(allowed.body) as { location: string };
      const code = new URL(location).searchParams.get('code');
      const redeem = await ask('/cli/token', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code, verifier, redirectUri }),
      });
      return (JSON.parse(redeem.body) as { token: string }).token;
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What a browser sends with a fetch of the relay's own pages. */
export function ourPage(origin: string) {
  return { 'content-type': 'application/json', origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
}

let address = 1;

function exchange(url: URL, { method = 'GET', headers = {}, body, from }: Ask = {}): Promise<Answer> {
  // From many addresses, since each has a rate. All of 127/8 is this machine.
  address = (address % 250) + 1;
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      url,
      {
        method,
        localAddress: from ?? `127.0.0.${address}`,
        agent: false,
        lookup: lookupWithLocalhost,
        headers: { accept: 'application/json', ...length, ...headers },
        signal: AbortSignal.timeout(20_000),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}
