import { type ErrorCode, PosternError } from '../../lib/errors.ts';
import { printable } from '../../lib/printable.ts';
import type { StreamAnswer, StreamRefusal } from '../../tunnel/stream-header.ts';
import type { Destination } from './destination.ts';
import { destinationText } from './destination.ts';

/** The relay, or the agent behind it, did not open the stream. `message` is theirs, for the person who asked. */
export class StreamRefusedError extends PosternError {
  readonly refusal: StreamRefusal;
  constructor(refusal: StreamRefusal, message: string) {
    super(CODES[refusal], message);
    this.refusal = refusal;
  }
}

export function refusedError(answer: StreamAnswer & { ok: false }, destination: Destination): StreamRefusedError {
  const { code, message, reference } = answer;
  // An agent, too, may have written it: it must not steer the terminal.
  const text =
    message === undefined ? `The relay did not open ${destinationText(destination)} (${code}).` : printable(message);
  return new StreamRefusedError(code, reference === undefined ? text : `${text} (reference ${printable(reference)})`);
}

const CODES: Readonly<Record<StreamRefusal, ErrorCode>> = {
  denied: 'forbidden',
  not_allowed: 'forbidden',
  unauthenticated: 'unauthenticated',
  unknown_resource: 'not_found',
  too_many: 'limit_reached',
  unavailable: 'relay_unreachable',
  no_agent: 'target_unreachable',
  bad_receipt: 'target_unreachable',
  dial_refused: 'target_unreachable',
  dial_timeout: 'target_unreachable',
};
