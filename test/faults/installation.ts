import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { stringify } from 'yaml';
import { runAgent } from '../../src/agent/run.ts';
import { loadAgentConfig } from '../../src/config/agent-config.ts';
import { loadRelayConfig } from '../../src/config/relay-config.ts';
import { DATA_KEY_FILE } from '../../src/identity/keys/data-key.ts';
import { type RelayOptions, type RunningRelay, startRelay } from '../../src/relay/start.ts';
import { freePort } from '../e2e/free-port.ts';
import { type RecordingTarget, startRecordingTarget } from '../e2e/recording-target.ts';
import { Browser } from '../identity/browser.ts';
import { type HostileProvider, startHostileProvider } from '../identity/hostile-provider.ts';
import { temporaryDirectory } from '../store/databases.ts';

export interface InstallationOptions {
  /** Absent: the embedded database. */
  readonly databaseUrl?: string;
  /** Where the relay keeps its data; default: in the installation's own directory. */
  readonly dataDir?: string;
  /** Data directory of a relay on the same database: they share its data key. */
  readonly dataKeyOf?: string;
  /** The relay's id; relays on one database each need their own. */
  readonly id?: string;
  /** Bound of a commit to the audit log; default: the relay's own, which a busy machine keeps, too. */
  readonly commitTimeout?: string;
  /** Further keys of the resource `wiki`. */
  readonly wiki?: Readonly<Record<string, unknown>>;
  /** What the agent dials for `wiki`; default: a target that records what it sees. */
  readonly target?: string;
  /** Name of the agent; default `office`. */
  readonly agent?: string;
  /** No agent in this process: the test starts its own from `agentFile`. */
  readonly withoutAgent?: boolean;
  readonly relay?: Omit<RelayOptions, 'log' | 'signal'>;
}

/** The real relay and the real agent in this process, with a provider that signs everyone in. Gone when disposed. */
export interface Installation extends AsyncDisposable {
  /** Origin of the relay's own host. */
  readonly origin: string;
  readonly port: number;
  readonly wiki: string;
  readonly relayFile: string;
  readonly agentFile: string;
  readonly dataDir: string;
  readonly provider: HostileProvider;
  readonly target: RecordingTarget;
  /** What the relay logged. */
  readonly lines: Lines;
  /** A browser with a session at `wiki`. */
  signIn(): Promise<Browser>;
  stopRelay(): Promise<void>;
  startRelay(): Promise<void>;
}

const CLIENT_SECRET = 'a-secret-of-this-test';

export async function startInstallation(options: InstallationOptions): Promise<Installation> {
  await using undo = new AsyncDisposableStack();
  const directory = undo.use(await temporaryDirectory());
  const dataDir = options.dataDir ?? join(directory.path, 'relay');
  const provider = undo.use(await startHostileProvider(CLIENT_SECRET));
  const target = undo.use(await startRecordingTarget());
  const name = options.agent ?? 'office';
  const port = await freePort();
  const origin = `http://postern.localhost:${port}`;

  const file = (name: string, content: unknown): string => {
    const path = join(directory.path, name);
    writeFileSync(path, typeof content === 'string' ? content : stringify(content), { mode: 0o600 });
    return path;
  };
  if (options.dataKeyOf !== undefined) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    copyFileSync(join(options.dataKeyOf, DATA_KEY_FILE), join(dataDir, DATA_KEY_FILE));
  }
  file('client-secret', CLIENT_SECRET);
  mkdirSync(join(directory.path, 'policies'));
  file('policies/rules.yaml', {
    rules: [{ id: 'all', effect: 'allow', who: ['anyone-signed-in'], what: ['any-resource'] }],
  });
  const relayFile = file('postern.yaml', {
    relay: {
      url: origin,
      listen: `127.0.0.1:${port}`,
      drain: '0s',
      ...(options.id === undefined ? {} : { id: options.id }),
    },
    dataDir,
    ...(options.databaseUrl === undefined ? {} : { database: { url: options.databaseUrl } }),
    provider: { issuer: provider.issuer, clientId: 'postern', clientSecretFile: './client-secret' },
    roles: { admin: { groups: ['a'] } },
    ...(options.commitTimeout === undefined ? {} : { audit: { commitTimeout: options.commitTimeout } }),
    policy: { directory: './policies' },
    agents: { [name]: { enrollmentTokenFile: './office.token' } },
    resources: { wiki: { agent: name, websocket: true, ...options.wiki } },
  });
  const agentFile = file('agent.yaml', {
    relay: origin,
    name,
    enrollmentTokenFile: './office.token',
    stateDir: './agent',
    targets: { wiki: options.target ?? target.url },
  });

  const stop = new AbortController();
  undo.defer(() => stop.abort());
  const lines = new Lines();
  let running: RunningRelay | undefined;
  const stopRelay = async (): Promise<void> => {
    await running?.close();
    running = undefined;
  };
  const start = async (): Promise<void> => {
    running = await startRelay(loadRelayConfig(relayFile), { ...options.relay, log: lines.log, signal: stop.signal });
  };
  undo.defer(stopRelay);
  await start();
  if (!options.withoutAgent) {
    const agentLines = new Lines();
    const agent = runAgent(loadAgentConfig(agentFile), { signal: stop.signal, log: agentLines.log });
    undo.defer(() => {
      stop.abort();
      return agent;
    });
    await agentLines.saw('connected');
  }

  const wiki = `http://wiki.postern.localhost:${port}`;
  const held = undo.move();
  return {
    origin,
    port,
    wiki,
    relayFile,
    agentFile,
    dataDir,
    provider,
    target,
    lines,
    async signIn() {
      const browser = new Browser();
      const { status, body } = await browser.visit(`${wiki}/hello`);
      if (status !== 200) throw new Error(`The sign-in ended with ${status}: ${body.slice(0, 300)}`);
      return browser;
    },
    stopRelay,
    startRelay: start,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

interface Line {
  readonly level: number;
  readonly msg: string;
  /** Epoch ms. */
  readonly time: number;
  readonly [field: string]: unknown;
}

/** A log, and what it said. */
export class Lines {
  readonly all: Line[] = [];
  readonly #watching = new Set<() => void>();
  readonly log = pino(
    { level: 'debug' },
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        this.all.push(JSON.parse(chunk.toString()) as Line);
        for (const look of this.#watching) look();
        done();
      },
    }),
  );

  /** Resolves at the first line, past or to come, whose message has `text`. */
  saw(text: string): Promise<Line> {
    const { promise, resolve } = Promise.withResolvers<Line>();
    const look = (): void => {
      const line = this.all.find(({ msg }) => msg.includes(text));
      if (!line) return;
      this.#watching.delete(look);
      resolve(line);
    };
    this.#watching.add(look);
    look();
    return promise;
  }
}
