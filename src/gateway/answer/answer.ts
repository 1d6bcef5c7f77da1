import type { RequestHead } from '../access/1-read.ts';
import type { RelayFacts } from '../ports.ts';
import { type Exchange, lingerAfter, wantsPage } from './exchange.ts';
import { PAGE_SECURITY_HEADERS, renderPage } from './page.ts';
import type { Refusal } from './refusal.ts';

/** Answers in place of the target: a page to a person, JSON `{code, message, reference, …}` to a program. */
export function answerRefusal(
  exchange: Exchange,
  relay: RelayFacts,
  head: RequestHead | undefined,
  refusal: Refusal,
  reference: string,
  extraHeaders: readonly string[] = [],
): void {
  const signIn = refusal.status === 401 && head !== undefined ? signInUrl(relay, head) : undefined;
  const headers = ['Cache-Control', 'no-store', 'X-Request-Id', reference, ...onlyHttps(relay), ...extraHeaders];
  if (signIn !== undefined) headers.push('WWW-Authenticate', 'Bearer realm="postern"');
  if (refusal.status === 503 || refusal.status === 429) headers.push('Retry-After', '2');
  let body: string;
  if (head !== undefined && wantsPage(head)) {
    const { message: text, contact, person } = refusal;
    const link =
      signIn === undefined ? { href: `${relay.origin}/`, text: 'Your apps' } : { href: signIn, text: 'Sign in' };
    headers.push('Content-Type', 'text/html; charset=utf-8', ...PAGE_SECURITY_HEADERS);
    body = renderPage({ title: titleOf(refusal.status), text, contact, person, link, reference });
  } else {
    const { code, message, contact } = refusal;
    headers.push('Content-Type', 'application/json; charset=utf-8', 'X-Content-Type-Options', 'nosniff');
    body = JSON.stringify({ code, message, contact, signIn, reference });
  }
  send(exchange, head, refusal.status, headers, body, refusal.close);
}

/** Sends a browser elsewhere with GET, keeping nothing behind. */
export function answerRedirect(
  exchange: Exchange,
  relay: RelayFacts,
  head: RequestHead,
  location: string,
  setCookies: string[],
): void {
  const headers = ['Location', location, 'Cache-Control', 'no-store', 'Referrer-Policy', 'no-referrer'];
  headers.push(...onlyHttps(relay));
  for (const cookie of setCookies) headers.push('Set-Cookie', cookie);
  send(exchange, head, 303, headers, '', false);
}

/** A preflight's yes: nothing but fields. */
export function answerPreflight(exchange: Exchange, head: RequestHead, headers: readonly string[]): void {
  send(exchange, head, 204, [...headers], undefined, false);
}

/** On what the relay itself says on a resource's host; the target's own answers keep what the target says. */
function onlyHttps(relay: RelayFacts): readonly string[] {
  return relay.origin.startsWith('https:') ? ['Strict-Transport-Security', 'max-age=31536000'] : [];
}

function send(
  exchange: Exchange,
  head: RequestHead | undefined,
  status: number,
  headers: string[],
  body: string | undefined,
  close: boolean,
): void {
  const { req, res } = exchange;
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  // A client that waits for 100-continue may or may not send its body now; only closing is unambiguous.
  if (close || (head?.expectsContinue && !req.complete)) res.shouldKeepAlive = false;
  if (body !== undefined) headers.push('Content-Length', String(Buffer.byteLength(body)));
  res.writeHead(status, headers);
  res.end(body);
  lingerAfter(exchange);
}

/** The host as the client called it: opened in a browser it signs in and comes back. The same for hosts that do not exist. */
function signInUrl(relay: RelayFacts, head: RequestHead): string {
  const scheme = relay.origin.slice(0, relay.origin.indexOf('://'));
  return `${scheme}://${head.host}/`;
}

function titleOf(status: number): string {
  switch (status) {
    case 401:
      return 'Sign in first';
    case 403:
      return 'You do not have access';
    case 404:
      return 'Not found';
    case 413:
      return 'Too large';
    case 429:
      return 'Too much at once';
    case 502:
    case 504:
      return 'The app does not answer';
    case 503:
      return 'Not available right now';
    default:
      return 'The request was refused';
  }
}
