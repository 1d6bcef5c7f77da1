import { hostname } from 'node:os';
import { PosternError } from '../lib/errors.ts';
import { loginCommand } from './profiles.ts';
import { parseJson, problemText } from './relay-answer.ts';
import { askRelay, notARelay, type RelayCall } from './relay-exchange.ts';

/**
 * One call of the relay's API: its JSON answer, or `relay_unreachable`, `unauthenticated` (401), `forbidden` (403),
 * `not_found` (404), `limit_reached` (429), `request_invalid` (other 4xx and whatever is not an answer of a relay).
 */
export async function callRelay(call: RelayCall): Promise<unknown> {
  const { status, body } = await askRelay(call);
  const answer = parseJson(body);
  if (status >= 200 && status < 300) {
    if (answer === undefined && body.length > 0) throw notARelay(call.relay);
    return answer;
  }
  const detail = problemText(answer);
  switch (status) {
    case 401:
      throw new PosternError(
        'unauthenticated',
        `${detail ?? 'You are not signed in.'} Run: ${loginCommand(call.relay, call.profile)}`,
      );
    case 403:
      throw new PosternError('forbidden', detail ?? 'The relay denies this to you.');
    case 404:
      throw new PosternError('not_found', detail ?? `${call.relay} has no ${call.path}.`);
    case 429:
      throw new PosternError('limit_reached', detail ?? 'Too many requests. Wait a minute.');
    default:
      if (detail === undefined && status < 500) throw notARelay(call.relay);
      throw new PosternError(
        status > 500 ? 'relay_unreachable' : 'request_invalid',
        detail ?? `${call.relay} answered ${status}; its own log says why.`,
      );
  }
}

/** How this machine is called towards the relay, for the person who looks at their tokens. */
export function machineName(): string {
  return hostname().slice(0, 64);
}
