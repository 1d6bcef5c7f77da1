import { clientAddress } from '../../lib/client-address.ts';
import { sortableId } from '../../lib/id.ts';
import { answerRefusal } from '../answer/answer.ts';
import type { Exchange } from '../answer/exchange.ts';
import type { Refusal } from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import type { RequestHead } from './1-read.ts';
import type { RefusalMarks } from './approach.ts';
import { corsHeaders } from './cors.ts';

/** Answers an HTTP request instead of the target. `head` is undefined for what could not be read. */
export function refuse(
  door: Door,
  exchange: Exchange,
  head: RequestHead | undefined,
  refusal: Refusal,
  { stranger, reference = sortableId(), resource }: RefusalMarks = {},
): void {
  if (stranger !== undefined) door.ports.strangers.refused(stranger, clientAddress(exchange.req));
  answerRefusal(exchange, door.ports.relay, head, refusal, reference, corsHeaders(head, resource));
}
