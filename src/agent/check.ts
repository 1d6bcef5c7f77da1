import type { AgentConfig } from '../config/agent-config.ts';
import { messageOf } from '../lib/errors.ts';
import { dialTunnel } from '../tunnel/dial-tunnel.ts';
import { UpgradeRefusedError } from '../tunnel/dial-websocket.ts';
import { ConnectionError, type ConnectionStep, connectToRelay } from '../tunnel/relay-connection.ts';
import { SUBPROTOCOL } from '../tunnel/websocket-upgrade.ts';
import { connect } from './connect.ts';
import { fetchCredential, NOTABLE_SKEW_MS } from './credential.ts';
import { dial } from './dial.ts';
import { waitingToken } from './enroll.ts';
import { postJson } from './post-json.ts';
import { AgentState } from './state.ts';

export interface Finding {
  readonly title: string;
  readonly ok: boolean;
  /** What was found; for what is wrong, also what to do. */
  readonly text: string;
}

const UPGRADE_TIMEOUT_MS = 10_000;

/** Tries each thing that an agent of this configuration needs, in order. Enrolls nothing and uses no token up. */
export async function* checkAgent(config: AgentConfig, signal: AbortSignal): AsyncGenerator<Finding> {
  let reached = false;
  for await (const finding of checkConnection(config, signal)) {
    reached = finding.ok;
    yield finding;
  }
  if (reached) {
    yield await found('Clock', () => checkClock(config, signal));
    yield await found('Credential', () => checkCredential(config, signal));
    yield await found('WebSocket', () => checkWebSocket(config, signal));
  }
  for (const [resource, target] of Object.entries(config.targets)) {
    yield await found(`Target ${resource}`, async () => {
      (await dial(target, signal)).destroy();
      return 'takes connections';
    });
  }
}

const TITLES: Readonly<Record<ConnectionStep, string>> = { name: 'Name', tcp: 'TCP', proxy: 'Proxy', tls: 'TLS' };

async function* checkConnection({ relay, proxy }: AgentConfig, signal: AbortSignal): AsyncGenerator<Finding> {
  const findings: Finding[] = [];
  try {
    const passed = (step: ConnectionStep, text: string) => findings.push({ title: TITLES[step], ok: true, text });
    (await connectToRelay({ url: new URL(relay), proxy, signal, passed })).destroy();
  } catch (error) {
    const title = error instanceof ConnectionError ? TITLES[error.step] : 'Connection';
    findings.push({ title, ok: false, text: messageOf(error) });
  }
  yield* findings;
}

/** By the Date of an answer of the relay; an assertion that is none costs nothing. */
async function checkClock(config: AgentConfig, signal: AbortSignal): Promise<string> {
  const { dateMs } = await postJson(config, '/api/v1/agents/credential', { assertion: 'x' }, signal);
  if (Number.isNaN(dateMs)) return 'the relay does not say what time it is';
  const skewMs = Date.now() - dateMs;
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= NOTABLE_SKEW_MS) return `within ${seconds + 1} s of the relay's`;
  throw new Error(`This machine is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} the relay. Set its clock right.`);
}

async function checkCredential(config: AgentConfig, signal: AbortSignal): Promise<string> {
  const state = new AgentState(config.stateDir);
  if (!state.loadEnrolled(config.relay, config.name)) return whyNotEnrolled(config);
  const { expiresAt } = await fetchCredential(config, state.loadKey(), signal);
  return `the relay knows ${config.name}; credential until ${new Date(expiresAt).toISOString()}`;
}

function whyNotEnrolled(config: AgentConfig): string {
  if (waitingToken(config))
    return `not enrolled yet; the token in ${config.enrollmentTokenFile} is for the first start`;
  throw new Error(
    `This agent is not enrolled, and there is no token in ${config.enrollmentTokenFile ?? '(no enrollment token file is named)'}. An admin makes one: postern agents token create ${config.name} --out FILE`,
  );
}

/** With a credential as far as a proven tunnel, which is closed again; without one as far as the relay's refusal. */
async function checkWebSocket(config: AgentConfig, signal: AbortSignal): Promise<string> {
  const state = new AgentState(config.stateDir);
  if (state.loadEnrolled(config.relay, config.name)) {
    const key = state.loadKey();
    const { transport, relay } = await connect(config, key, await fetchCredential(config, key, signal), signal);
    transport.close(1000, 'A check.');
    return `a tunnel to ${relay} opens`;
  }
  try {
    const { relay, proxy } = config;
    const options = { relay, proxy, protocol: SUBPROTOCOL, timeoutMs: UPGRADE_TIMEOUT_MS, signal };
    (await dialTunnel(options)).close(1000, '');
  } catch (error) {
    if (error instanceof UpgradeRefusedError && error.status === 401 && error.mediaType === 'application/problem+json')
      return 'the relay answers (it wants a credential first)';
    throw error;
  }
  return 'it opens without a credential';
}

async function found(title: string, look: () => Promise<string>): Promise<Finding> {
  try {
    return { title, ok: true, text: await look() };
  } catch (error) {
    return { title, ok: false, text: messageOf(error) };
  }
}
