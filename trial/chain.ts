import { get } from 'node:http';
import { lookupWithLocalhost } from '../src/lib/localhost.ts';
import { pause } from '../src/lib/wait.ts';
import type { Files } from './files.ts';
import { type LogLine, launch, type Program } from './program.ts';
import type { Settings } from './settings.ts';

/** Relay and agent, started in order and stopped in the reverse one. */
export interface Chain extends AsyncDisposable {
  /** Resolves with a sentence when one of the two ended by itself. */
  readonly broken: Promise<string>;
}

/** A first start builds a database; everything after it is quick. */
const START_LIMIT_MS = 60_000;
const PROBE_INTERVAL_MS = 50;

/** Resolves when the whole chain is up: the relay answers, and the agent's tunnel carries streams. */
export async function startChain(settings: Settings, files: Files, signal: AbortSignal): Promise<Chain> {
  await using started = new AsyncDisposableStack();
  const run = (name: 'relay' | 'agent', config: string): Program =>
    started.use(
      launch({
        name,
        args: [name, '--config', config],
        logFile: `${settings.directory}/${name}.log`,
        onLine: (line) => showWarning(name, line),
      }),
    );

  const relay = run('relay', files.relayConfig);
  await relayAnswers(settings.relay, relay, START_LIMIT_MS, signal);
  const agent = run('agent', files.agentConfig);
  await agent.saw('the tunnel is ready', isTunnelReady, START_LIMIT_MS);
  signal.throwIfAborted();

  const running = started.move();
  let stopping = false;
  const broken = Promise.race([
    relay.ended.then((how) => ['relay', how]),
    agent.ended.then((how) => ['agent', how]),
  ]).then(([name, how]) =>
    stopping
      ? new Promise<string>(() => {})
      : `The ${name} ended by itself (${how}); see ${settings.directory}/${name}.log`,
  );
  return {
    broken,
    async [Symbol.asyncDispose]() {
      stopping = true;
      await running.disposeAsync();
    },
  };
}

/** The agent's line for an open tunnel. */
export function isTunnelReady({ message, fields }: LogLine): boolean {
  return message === 'connected' && 'tunnel' in fields;
}

/** Resolves when the relay answers; rejects when it ended before, or after `limitMs`. */
export async function relayAnswers(
  origin: string,
  relay: Program,
  limitMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const done = new AbortController();
  const limit = AbortSignal.any([done.signal, AbortSignal.timeout(limitMs), ...(signal ? [signal] : [])]);
  const answering = async () => {
    while (!(await answers(origin))) {
      limit.throwIfAborted();
      await pause(PROBE_INTERVAL_MS, limit);
    }
  };
  try {
    await Promise.race([answering(), relay.endsBefore('it answers')]);
  } finally {
    done.abort();
  }
}

function answers(relay: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { lookup: lookupWithLocalhost, timeout: 1000, agent: false };
    const request = get(new URL('/.well-known/jwks.json', relay), options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function showWarning(name: string, { level, message }: LogLine): void {
  if (level >= 40) process.stderr.write(`${name}: ${message}\n`);
}
