import type { AgentConfig } from '../config/agent-config.ts';
import type { Logger } from '../lib/log.ts';
import { aborted } from '../lib/wait.ts';
import { type AgentMessage, parseRelayMessage, receiveControl, sendControl } from '../tunnel/control-message.ts';
import { encodeHeader, receiveAnswer } from '../tunnel/stream-header.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import type { TunnelEnd } from '../tunnel/tunnel-end.ts';
import type { Connected } from './connect.ts';
import { type Credential, jtiOf } from './credential.ts';
import { TargetHealth } from './health.ts';
import { type Lookup, NetworkTargets, systemLookup } from './network-targets.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { type ServingPort, serveStream } from './serve-stream.ts';
import type { Enrolled } from './state.ts';

const CONTROL_ANSWER_TIMEOUT_MS = 10_000;
/** A renewal that was not answered is asked for again after this. */
const RENEW_AGAIN_MS = 15_000;

export interface ServingOptions {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The relay gave a new credential, which is good for another tunnel, too. */
  readonly renewed: (credential: Credential) => void;
  /** How names of network resources are resolved; as this machine does by default. */
  readonly lookup?: Lookup | undefined;
}

export interface ServedTunnel {
  /** Resolves when the tunnel has ended, with why. */
  readonly ended: Promise<TunnelEnd>;
  /** Resolves when the relay asks to connect elsewhere or again, with its reason; what is open lives on meanwhile. */
  readonly drained: Promise<string>;
}

/** Serves streams on a proven connection until the tunnel ends. */
export function serveTunnel(
  config: AgentConfig,
  connected: Connected,
  enrolled: Enrolled,
  expiresAt: number,
  { signal, log, renewed, lookup = systemLookup }: ServingOptions,
): ServedTunnel {
  const clock = () => Date.now() + connected.clockOffsetMs;
  const drained = Promise.withResolvers<string>();
  const targets = new Map(Object.entries(config.targets));
  const networks = new NetworkTargets(config.networks, lookup);
  const health = new TargetHealth(targets, (resource, failure) => {
    if (failure === undefined) log.info({ resource }, 'the target can be reached again');
    else log.warn({ resource }, failure);
    send({ type: 'health', resource, reachable: failure === undefined, ...(failure ? { reason: failure } : {}) });
  });
  const port: ServingPort = {
    receipts: new ReceiptCheck({ enrolled, relay: connected.relay, tunnel: connected.tunnel, clock }),
    targets,
    networks,
    log,
    dialled: (resource, failure) => health.saw(resource, failure),
  };
  const tunnel = new Tunnel(connected.transport, {
    side: 'dialler',
    heartbeatMs: config.heartbeatMs,
    accept: (stream) => {
      void serveStream(stream, port);
      return true;
    },
  });
  const stop = () => tunnel.close('agent_stopping', 'The agent is stopping.');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();

  let renewal: NodeJS.Timeout | undefined;
  const renewAt = (whenMs: number) => {
    clearTimeout(renewal);
    renewal = setTimeout(
      () => {
        send({ type: 'renew' });
        renewAt(clock() + RENEW_AGAIN_MS);
      },
      Math.max(0, whenMs - clock()),
    );
  };
  const halfLife = (end: number) => clock() + Math.max(0, end - clock()) / 2;

  const control = tunnel.end ? undefined : tunnel.open();
  function send(message: AgentMessage): void {
    if (control) sendControl(control, message);
  }
  if (control) {
    control.write(encodeHeader({ version: 1, kind: 'control' }));
    send(announcement(config));
    receiveAnswer(control, CONTROL_ANSWER_TIMEOUT_MS).then(
      () => {
        renewAt(halfLife(expiresAt));
        health.watchUntil(tunnel.ended);
      },
      () => tunnel.close('protocol_violation', 'The relay did not answer on the control stream.'),
    );
    receiveControl(
      control,
      parseRelayMessage,
      (message) => {
        switch (message.type) {
          case 'credential':
            renewed({ jwt: message.credential, jti: jtiOf(message.credential), expiresAt: message.expiresAt });
            return renewAt(halfLife(message.expiresAt));
          case 'resolve':
            return void networks
              .resolve(message.resource, message)
              .then((resolved) => send({ type: 'resolved', id: message.id, ...resolved }));
          case 'refused':
            for (const { resource, reason } of message.resources)
              log.warn(`The relay does not take ${resource} from this agent: ${reason}.`);
            return;
          case 'drain':
            return drained.resolve(message.reason);
        }
      },
      (error) => tunnel.close('protocol_violation', error.message),
    );
  }
  return { ended: endOf(tunnel).finally(cleanUp), drained: drained.promise };

  function cleanUp(): void {
    clearTimeout(renewal);
    signal.removeEventListener('abort', stop);
  }
}

/** What this agent serves. Relays take names and, for networks and other connections, ports within its scope. */
function announcement({ targets, networks }: AgentConfig): AgentMessage {
  const connections = Object.entries(targets).flatMap(([name, target]) =>
    target.protocol === undefined ? [] : [{ name, target, protocol: target.protocol }],
  );
  return {
    type: 'announce',
    resources: Object.keys(targets),
    protocols: Object.fromEntries(connections.map(({ name, protocol }) => [name, protocol])),
    ports: Object.fromEntries(
      connections.flatMap(({ name, target }) => (target.kind === 'unix' ? [] : [[name, target.port]])),
    ),
    networks: Object.fromEntries(
      Object.entries(networks).map(([name, { hosts, addresses, ports }]) => [
        name,
        { hosts: [...hosts], addresses: [...addresses], ports: [...ports] },
      ]),
    ),
  };
}

async function endOf(tunnel: Tunnel): Promise<TunnelEnd> {
  await aborted(tunnel.ended);
  return tunnel.end ?? { code: 'internal_error', reason: 'The tunnel ended without a reason.', by: 'us' };
}
