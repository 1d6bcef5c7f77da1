import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { Lookup } from '../../src/agent/network-targets.ts';
import { runAgent } from '../../src/agent/run.ts';
import type { AgentConfig } from '../../src/config/agent-config.ts';
import type { AgentTarget } from '../../src/config/agent-target.ts';
import type { AgentTunnel } from '../../src/gateway/ports.ts';
import type { TokenContent } from '../../src/token/jwt.ts';
import type { SigningKey } from '../../src/token/key.ts';
import { resourceOf, type SmallRelay } from './small-relay.ts';

/** A TCP target that answers each connection with what it sends, and counts those that send something (a look at its health does not). */
export class EchoTarget {
  connections = 0;
  readonly sockets = new Set<Socket>();
  readonly server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    this.sockets.add(socket);
    socket.once('data', () => {
      this.connections += 1;
    });
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.pipe(socket);
  });

  async start(t: TestContext): Promise<this> {
    t.after(() => this.stop());
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

/** A running agent `office` with its directory; it stops with the test. */
export class Office {
  readonly directory = mkdtempSync(join(tmpdir(), 'postern-agent-'));
  readonly config: AgentConfig;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;

  /** Stands for the DNS of its network. */
  lookup: Lookup = () => Promise.reject(new Error('There is no DNS here.'));

  /** What it says to the person who runs it. */
  readonly said: string[] = [];

  constructor(
    t: TestContext,
    relay: Pick<SmallRelay, 'origin'>,
    targets: Record<string, number | AgentTarget>,
    change: Partial<AgentConfig> = {},
  ) {
    t.after(() => this.stop());
    this.config = {
      relay: relay.origin,
      name: 'office',
      enrollmentTokenFile: join(this.directory, 'office.token'),
      stateDir: join(this.directory, 'state'),
      heartbeatMs: 60_000,
      targets: Object.fromEntries(
        Object.entries(targets).map(([name, at]) => [
          name,
          typeof at === 'number' ? { kind: 'tcp' as const, host: '127.0.0.1', port: at } : at,
        ]),
      ),
      networks: {},
      ...change,
    };
  }

  giveToken(relay: SmallRelay, token = 'a-token'): void {
    relay.tokens.set(token, this.config.name);
    writeFileSync(join(this.directory, 'office.token'), `${token}\n`);
  }

  start(): void {
    const log = pino(
      { base: null },
      { write: (line: string) => this.said.push((JSON.parse(line) as { msg: string }).msg) },
    );
    this.#running = runAgent(this.config, { signal: this.#stopping.signal, log, lookup: (host) => this.lookup(host) });
  }

  /** `keep`: to start again with the same state. */
  async stop(keep = false): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#stopping = new AbortController();
    if (!keep) rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Waits until the agent announced the resource, and returns its tunnel. */
export async function tunnelTo(relay: SmallRelay, resource: string): Promise<AgentTunnel> {
  let tunnel: AgentTunnel | undefined;
  await relay.until(() => {
    tunnel = relay.tunnels.directory.pick(resourceOf(resource, ['office']));
    return tunnel !== undefined;
  });
  if (!tunnel) throw new TypeError('unreachable');
  return tunnel;
}

export interface ReceiptChange {
  readonly content?: Partial<TokenContent>;
  readonly claims?: Record<string, unknown>;
  readonly key?: SigningKey;
}

/** A good receipt for a stream to `resource`, but for what `change` says. */
export function receiptFor(
  relay: SmallRelay,
  tunnel: AgentTunnel,
  resource: string,
  change: ReceiptChange = {},
): Promise<string> {
  return relay.sign(
    {
      type: 'postern-receipt+jwt',
      issuer: relay.origin,
      audience: 'office',
      subject: resource,
      lifeSeconds: 60,
      claims: {
        relay: 'relay-1',
        agent: 'office',
        tunnel: tunnel.id,
        stream: tunnel.nameStream(),
        sessionHash: 'a'.repeat(64),
        resource,
        intent: 'intent-1',
        leafHash: 'b'.repeat(64),
        openBefore: Date.now() + 10_000,
        ...change.claims,
      },
      ...change.content,
    },
    change.key,
  );
}
