import type { Resource } from '../../domain/resource.ts';
import { sortableId } from '../../lib/id.ts';
import { answerRedirect, answerRefusal } from '../answer/answer.ts';
import { type Exchange, isNavigation } from '../answer/exchange.ts';
import { NOT_FOUND, REDEEM_REFUSED, refusal } from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import type { RequestHead } from './1-read.ts';
import { corsHeaders } from './cors.ts';

const SIGN_IN_FIRST = refusal(401, 'unauthenticated', 'Sign in first: this request carries no live session.');

/** To a navigation the way to sign-in, to everything else 401. The same for hosts that exist and hosts that do not. */
export async function answerStranger(
  door: Door,
  exchange: Exchange,
  head: RequestHead,
  resource: Resource | undefined,
): Promise<void> {
  const { ports } = door;
  if (isNavigation(head)) {
    const { location, setCookies } = await ports.handOff.begin(head.hostname, head.target, head.cookie);
    return answerRedirect(exchange, ports.relay, head, location, setCookies);
  }
  ports.strangers.refused('unauthenticated', head.address);
  answerRefusal(exchange, ports.relay, head, SIGN_IN_FIRST, sortableId(), corsHeaders(head, resource));
}

/** `/.postern/redeem` ends a sign-in on this host; nothing else lives under `/.postern/`. */
export async function answerReserved(
  door: Door,
  exchange: Exchange,
  head: RequestHead,
  resource: Resource | undefined,
): Promise<void> {
  const { ports } = door;
  const isRedeem = head.path.raw === '/.postern/redeem' && head.method === 'GET' && head.websocket === undefined;
  const redeemed = isRedeem
    ? await ports.handOff.redeem(
        head.hostname,
        new URLSearchParams(head.path.query ?? ''),
        head.cookie,
        resource?.unsafeFrom !== undefined,
      )
    : undefined;
  if (redeemed !== undefined)
    return answerRedirect(exchange, ports.relay, head, redeemed.location, redeemed.setCookies);
  ports.strangers.refused(isRedeem ? 'redeem_refused' : 'reserved_path', head.address);
  answerRefusal(exchange, ports.relay, head, isRedeem ? REDEEM_REFUSED : NOT_FOUND, sortableId());
}
