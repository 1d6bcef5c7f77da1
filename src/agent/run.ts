import type { AgentConfig } from '../config/agent-config.ts';
import { fullJitterMs } from '../lib/backoff.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { pause } from '../lib/wait.ts';
import { UpgradeRefusedError } from '../tunnel/dial-websocket.ts';
import { connect } from './connect.ts';
import { type Credential, fetchCredential } from './credential.ts';
import { enroll, waitingToken } from './enroll.ts';
import type { Lookup } from './network-targets.ts';
import { serveTunnel } from './serve-tunnel.ts';
import { AgentState, type Enrolled } from './state.ts';

const RETRY_BASE_MS = 250;
const RETRY_CAP_MS = 10_000;
/** A credential with less life left is not used for a new tunnel. Clocks may differ: a refused one is replaced. */
const WORTH_USING_MS = 60_000;
/** A tunnel that lived this long was fine: the next attempt starts from the beginning. */
const STEADY_MS = 10_000;

export interface AgentOptions {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** How names of network resources are resolved; as this machine does by default. */
  readonly lookup?: Lookup;
}

/**
 * Enrolls if need be, connects, serves, and connects again, until the signal aborts: then it resolves.
 * Rejects only when its own state cannot be read or written (`config_invalid` or a file system error).
 */
export async function runAgent(config: AgentConfig, options: AgentOptions): Promise<void> {
  const { signal, log } = options;
  const state = new AgentState(config.stateDir);
  let key = state.loadKey();
  let enrolled = state.loadEnrolled(config.relay, config.name);
  /** A token that was put there since the last enrollment: the key is replaced by a new one. */
  let rotate = enrolled !== undefined && hasNewToken(config, enrolled);
  let credential: Credential | undefined;
  let attempt = 0;
  let said = '';
  /** Tunnels that the relay drains: they end when what they carry has, or when the relay ends them. */
  const leaving = new Set<Promise<unknown>>();

  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      if (!enrolled || rotate) {
        const next = enrolled ? state.makeNextKey() : key;
        enrolled = await enroll(config, next, signal);
        if (rotate) state.adoptNextKey();
        state.saveEnrolled(enrolled);
        key = next;
        rotate = false;
        log.info({ agent: config.name, relay: config.relay, key: key.kid }, 'enrolled');
      }
      if (!credential || credential.expiresAt - Date.now() < WORTH_USING_MS)
        credential = await fetchCredential(config, key, signal);
      const connected = await connect(config, key, credential, signal);
      said = '';
      log.info({ relay: connected.relay, tunnel: connected.tunnel }, 'connected');
      const { ended, drained } = serveTunnel(config, connected, enrolled, credential.expiresAt, {
        ...options,
        renewed: (next) => {
          credential = next;
        },
      });
      const reason = await Promise.race([drained, ended.then(() => undefined)]);
      if (reason === undefined) {
        const end = await ended;
        if (!signal.aborted) say(`The tunnel ended (${end.code}: ${end.reason}). Connecting again.`);
      } else {
        leaving.add(ended);
        void ended.finally(() => leaving.delete(ended));
        log.info({ tunnel: connected.tunnel, reason }, 'the relay drains the tunnel; opening another');
      }
    } catch (error) {
      if (signal.aborted) break;
      if (!hasCode(error, 'relay_unreachable')) credential = undefined;
      if (enrolled && rotate && hasCode(error, 'enrollment_refused')) {
        rotate = false;
        log.warn('the new enrollment token was refused; going on with the key that is enrolled');
        continue;
      }
      if (enrolled && wantsNewEnrollment(error, config, enrolled)) {
        log.warn('the relay does not know this agent any more; a new enrollment token is there, so it enrolls again');
        enrolled = undefined;
      }
      say(explain(error, config));
    }
    attempt = performance.now() - startedAt > STEADY_MS ? 0 : attempt + 1;
    await pause(fullJitterMs(attempt, RETRY_BASE_MS, RETRY_CAP_MS), signal);
  }
  await Promise.all(leaving);

  /** Once for each new trouble; a trouble that stays is not repeated every few seconds. */
  function say(line: string): void {
    if (line === said) return;
    said = line;
    log.warn(line);
  }
}

/** Only a token that an administrator put there since may replace the pinned keys. */
function wantsNewEnrollment(error: unknown, config: AgentConfig, enrolled: Enrolled): boolean {
  if (!hasCode(error, 'credential_refused') || error instanceof UpgradeRefusedError) return false;
  return hasNewToken(config, enrolled);
}

function hasNewToken(config: AgentConfig, enrolled: Enrolled): boolean {
  const waiting = waitingToken(config);
  return waiting !== undefined && waiting.hash !== enrolled.tokenHash;
}

function explain(error: unknown, config: AgentConfig): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ABORT_ERR':
    case 'ETIMEDOUT':
      return `${config.relay} does not answer. Trying again.`;
    case 'ECONNRESET':
      return `${config.relay} closed the connection. Trying again.`;
    case 'credential_refused':
      return `${messageOf(error)} The agent ${config.name} may be revoked or unknown there. Trying again.`;
    default:
      return `${messageOf(error)} Trying again.`;
  }
}
