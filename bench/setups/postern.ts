import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { GIVE_MEMORY_BACK } from '../../src/cli/systemd-unit.ts';
import { SESSION_COOKIE } from '../../src/identity/sign-in/cookies.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { pause } from '../../src/lib/wait.ts';
import { startPostgres } from '../../test/store/databases.ts';
import { startProvider } from '../../trial/provider.ts';
import { type Child, startChild } from '../child.ts';
import { probe } from '../measure/probe.ts';
import { freePort, temporaryDirectory } from '../place.ts';
import { BenchError, type Setup } from '../setup.ts';
import { openAuditInPostgres } from './audit-in-postgres.ts';
import { NEWEST_SLACK, openAuditOverApi } from './audit-over-api.ts';
import { watchGrowth } from './audit-watch.ts';
import { RESOURCE, writePosternFiles } from './postern-files.ts';
import { Visitor } from './sign-in.ts';
import type { Target } from './target.ts';

export interface PosternOptions {
  readonly name: 'postern' | 'postern-embedded';
  /** Arguments of the relay's and the agent's Node, for profiling. */
  readonly nodeArguments?: readonly string[];
  /** Served as the TCP resource besides. */
  readonly streamPort?: number;
}

export interface Postern extends Setup {
  readonly relayOrigin: string;
  readonly relay: Child;
  readonly agent: Child;
}

const PROGRAM = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const READY_MS = 30_000;

/** Postern complete: relay and agent in processes of their own, a person signed in at a real provider, policy, audit. */
export async function startPostern(
  stack: AsyncDisposableStack,
  target: Target,
  options: PosternOptions,
  signal: AbortSignal,
): Promise<Postern> {
  const directory = await temporaryDirectory(stack, options.name);
  // With PostgreSQL's own settings: fsync and synchronous_commit stay on.
  const postgres = options.name === 'postern' ? stack.use(await startPostgres()) : undefined;
  const relayPort = await freePort();
  const relayOrigin = `http://postern.localhost:${relayPort}`;
  const clientSecret = randomBytes(24).toString('hex');
  const provider = stack.use(
    await startProvider({
      port: await freePort(),
      directory: `${directory}/provider`,
      relay: relayOrigin,
      clientSecret,
    }),
  );
  const files = await writePosternFiles({
    directory,
    relayPort,
    relayOrigin,
    issuer: provider.issuer,
    clientSecret,
    targetPort: target.port,
    streamPort: options.streamPort,
    databaseUrl: postgres?.url.reveal(),
  });

  const start = async (command: 'relay' | 'agent', config: string) =>
    stack.use(
      await startChild(process.execPath, [...(options.nodeArguments ?? []), PROGRAM, command, '--config', config], {
        signal,
        cwd: directory,
        // As its unit and its container start it.
        env: { ...process.env, ...Object.fromEntries([GIVE_MEMORY_BACK.split('=')]) },
      }),
    );
  const relay = await start('relay', files.relay);
  await until('the relay to write the enrollment token', [relay], signal, () => existsSync(files.token));
  const agent = await start('agent', files.agent);

  const host = `${RESOURCE}.postern.localhost:${relayPort}`;
  const visitor = new Visitor('alice', 'alice');
  await until('the sign-in to reach the target', [relay, agent], signal, () => visitor.visit(`http://${host}/bench`));
  const [postmaster] = (await postgres?.pids()) ?? [];
  const setup: Setup = {
    name: options.name,
    port: relayPort,
    headers: { Host: host, Cookie: visitor.cookie(host, SESSION_COOKIE) },
    parts: [
      { name: 'relay', pid: relay.pid, own: true },
      { name: 'agent', pid: agent.pid, own: true },
      ...(postmaster === undefined ? [] : [{ name: 'postgresql', pid: postmaster, own: false }]),
      target.part,
    ],
  };
  await probe(setup);
  if (!postgres) {
    return {
      ...setup,
      confirm: await watchGrowth(await openAuditOverApi(relayOrigin), NEWEST_SLACK),
      relayOrigin,
      relay,
      agent,
    };
  }
  const { serverVersion, size } = await openAuditInPostgres(stack, postgres.url.reveal());
  return {
    ...setup,
    confirm: await watchGrowth(size),
    versions: { postgresql: serverVersion },
    relayOrigin,
    relay,
    agent,
  };
}

/** Tries until `done` is truthy. Throws what it last threw, and what the children printed, when they end or time is up. */
async function until(
  what: string,
  children: readonly Child[],
  signal: AbortSignal,
  done: () => unknown,
): Promise<void> {
  const limit = Date.now() + READY_MS;
  for (let last = ''; ; ) {
    try {
      if (await done()) return;
    } catch (error) {
      last = messageOf(error);
    }
    signal.throwIfAborted();
    const ended = children.find((child) => child.process.exitCode !== null || child.process.signalCode !== null);
    if (ended || Date.now() > limit) {
      const printed = children.map((child) => child.output().slice(-3000)).join('\n');
      throw new BenchError(`Waited in vain for ${what}.\n${last}\n${printed}`);
    }
    await pause(100, signal);
  }
}
