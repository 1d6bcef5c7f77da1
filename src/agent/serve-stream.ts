import type { AgentTarget } from '../config/agent-target.ts';
import { hasCode, messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { copy } from '../tunnel/copy.ts';
import type { TunnelStream } from '../tunnel/stream.ts';
import { encodeAnswer, receiveHeader, type StreamRefusal } from '../tunnel/stream-header.ts';
import { dial } from './dial.ts';
import type { NetworkTargets } from './network-targets.ts';
import type { ReceiptCheck } from './receipt-check.ts';

/** The header follows the opening at once; a stream without one is reset. */
const HEADER_TIMEOUT_MS = 10_000;

export interface ServingPort {
  readonly receipts: ReceiptCheck;
  readonly targets: ReadonlyMap<string, AgentTarget>;
  readonly networks: NetworkTargets;
  readonly log: Logger;
  /** Called after each dialling of a target; what one destination of a network does says nothing about others. */
  dialled(resource: string, failure: string | undefined): void;
}

/** Header, receipt, dial, answer, copy. The target sees nothing unless the receipt is good. */
export async function serveStream(stream: TunnelStream, port: ServingPort): Promise<void> {
  try {
    const header = await receiveHeader(stream, HEADER_TIMEOUT_MS);
    if (header.kind !== 'resource') return refuse(stream, 'not_allowed', 'Relays open streams to resources only.');
    const { resource, destination } = header;
    const fixed = port.targets.get(resource);
    if (fixed && destination !== undefined) return refuse(stream, 'not_allowed', 'The target is fixed by this agent.');
    const target = destination === undefined ? fixed : port.networks.target(resource, destination);
    if (!target) return refuse(stream, 'unknown_resource', `This agent has no target for ${resource}.`);
    if (typeof target === 'string') return refuse(stream, 'not_allowed', target);
    if (header.receipt === undefined) return refuse(stream, 'bad_receipt', 'There is no receipt.');
    const receipt = await port.receipts.check(header.receipt, resource, destination);
    if (typeof receipt === 'string') {
      port.log.warn({ resource, reason: receipt }, 'a stream was refused for its receipt');
      return refuse(stream, 'bad_receipt', `The receipt was refused: ${receipt}.`);
    }
    if (stream.destroyed) return;
    await dialAndCopy(stream, target, (failure) => {
      if (fixed) port.dialled(resource, failure);
    });
  } catch (error) {
    port.log.debug({ error: messageOf(error) }, 'a stream ended at its start');
    stream.destroy();
  }
}

async function dialAndCopy(
  stream: TunnelStream,
  target: AgentTarget,
  dialled: (failure: string | undefined) => void,
): Promise<void> {
  const gone = new AbortController();
  const abort = () => gone.abort();
  stream.on('close', abort);
  try {
    const socket = await dial(target, gone.signal);
    dialled(undefined);
    stream.write(encodeAnswer({ ok: true }));
    copy(stream, socket);
    if (stream.destroyed || socket.destroyed) {
      stream.destroy();
      socket.destroy();
    }
  } catch (error) {
    if (gone.signal.aborted) return;
    const message = messageOf(error);
    dialled(message);
    refuse(stream, hasCode(error, 'timeout') ? 'dial_timeout' : 'dial_refused', message);
  } finally {
    stream.off('close', abort);
  }
}

/** Answers, and ends the stream once the answer is on its way; what the peer wrote meanwhile is thrown away. */
function refuse(stream: TunnelStream, code: StreamRefusal, message: string): void {
  stream.resume();
  stream.end(encodeAnswer({ ok: false, code, message: message.slice(0, 500) }));
}
