import type { Logger } from '../lib/log.ts';
import { type AgentMessage, parseRelayMessage, receiveControl, sendControl } from '../tunnel/control-message.ts';
import { encodeHeader, receiveAnswer } from '../tunnel/stream-header.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import type { TunnelEnd } from '../tunnel/tunnel-end.ts';
import type { AgentConfig } from './config.ts';
import type { Connected } from './connect.ts';
import { ReceiptCheck } from './receipt-check.ts';
import { type ServingPort, serveStream } from './serve-stream.ts';
import type { Enrolled } from './state.ts';

const CONTROL_ANSWER_TIMEOUT_MS = 10_000;
/** A renewal that was not answered is asked for again after this. */
const RENEW_AGAIN_MS = 15_000;

/** Serves streams until the tunnel ends, and says why it did. */
export async function serveTunnel(
  config: AgentConfig,
  connected: Connected,
  enrolled: Enrolled,
  expiresAt: number,
  options: { signal: AbortSignal; log: Logger },
): Promise<TunnelEnd> {
  const { log, signal } = options;
  const clock = () => Date.now() + connected.clockOffsetMs;
  const unreachable = new Set<string>();
  const port: ServingPort = {
    receipts: new ReceiptCheck({ enrolled, relay: connected.relay, tunnel: connected.tunnel, clock }),
    targets: new Map(Object.entries(config.targets)),
    log,
    dialled(resource, failure) {
      if (unreachable.has(resource) === (failure !== undefined)) return;
      if (failure === undefined) unreachable.delete(resource);
      else unreachable.add(resource);
      if (failure !== undefined) log.warn({ resource }, failure);
      send({ type: 'health', resource, reachable: failure === undefined, ...(failure ? { reason: failure } : {}) });
    },
  };
  const tunnel = new Tunnel(connected.transport, {
    side: 'dialler',
    heartbeatMs: config.heartbeatMs,
    accept: (stream) => {
      void serveStream(stream, port);
      return true;
    },
  });
  const ended = new Promise<void>((resolve) => {
    if (tunnel.end) resolve();
    tunnel.ended.addEventListener('abort', () => resolve(), { once: true });
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
    send({ type: 'announce', resources: [...port.targets.keys()] });
    receiveAnswer(control, CONTROL_ANSWER_TIMEOUT_MS).then(
      () => renewAt(halfLife(expiresAt)),
      () => tunnel.close('protocol_violation', 'The relay did not answer on the control stream.'),
    );
    receiveControl(
      control,
      parseRelayMessage,
      (message) => {
        if (message.type === 'credential') renewAt(halfLife(message.expiresAt));
        else log.info({ reason: message.reason }, 'the relay is draining this tunnel');
      },
      (error) => tunnel.close('protocol_violation', error.message),
    );
  }
  await ended;
  clearTimeout(renewal);
  signal.removeEventListener('abort', stop);
  return tunnel.end ?? { code: 'internal_error', reason: 'The tunnel ended without a reason.', by: 'us' };
}
