import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { KeyRing } from '../../identity/keys/signing-keys.ts';
import { dropCookie, SESSION_COOKIE } from '../../identity/sign-in/cookies.ts';
import { type HandOffs, isHandOffRequest, type Redirect } from '../../identity/sign-in/hand-off.ts';
import { safeReturnPath } from '../../identity/sign-in/return-path.ts';
import type { SignIns } from '../../identity/sign-in/sign-in.ts';
import { PosternError } from '../../lib/errors.ts';
import { html } from '../../lib/page/html.ts';
import { callerOf } from '../caller.ts';
import { Nothing } from '../contract/parts.ts';
import { SignedOut } from '../contract/sessions.ts';
import { sendPage, unsupportedBrowserPage } from '../page.ts';
import { personOf } from '../permission.ts';
import type { ControlPlugin, PersonReader } from '../ports.ts';
import { cookiesKept, endProbe, probeCookies } from './cookie-probe.ts';

export interface SignInRoutesDeps {
  readonly signIns: SignIns;
  readonly handOffs: HandOffs;
  readonly people: PersonReader;
  readonly keys: KeyRing;
  readonly relayOrigin: string;
  /** The resource of a host, in the snapshot in force. */
  findResource(host: string): { readonly host: string; readonly origin: string } | undefined;
}

/** Each costs an exchange with the provider or a row: more per minute and address is 429. A whole office may share one. */
const RATE = { max: 600, timeWindow: 60_000 };

export function signInRoutes(deps: SignInRoutesDeps): ControlPlugin {
  // The only place where it may be http.
  const onLocalhost = deps.relayOrigin.startsWith('http:');
  return async (app) => {
    app.get<{ Querystring: SignInQuery }>(
      '/sign-in',
      { config: { permission: 'anyone', rateLimit: RATE }, schema: { querystring: SignInQuery } },
      async (request, reply) => {
        refuseEmbedded(request);
        const returnPath = safeReturnPath(request.query.return);
        if (await deps.people.readPerson(request)) return redirect(reply, { location: returnPath, setCookies: [] });
        const { cookie } = request.headers;
        if (!onLocalhost) return redirect(reply, await deps.signIns.begin(returnPath, cookie));
        const kept = cookiesKept(cookie, request.query.probed, Date.now());
        if (kept === 'unknown') return redirect(reply, probeCookies(returnPath, Date.now()));
        if (kept === 'dropped') return sendPage(reply, 400, unsupportedBrowserPage(deps.relayOrigin));
        return redirect(reply, endProbe(await deps.signIns.begin(returnPath, cookie)));
      },
    );

    app.get('/oidc/callback', { config: { permission: 'anyone', rateLimit: RATE } }, async (request, reply) => {
      const { cookie } = request.headers;
      return redirect(reply, await deps.signIns.complete(searchOf(request), cookie, callerOf(request)));
    });

    app.get('/hand-off', { config: { permission: 'anyone', rateLimit: RATE } }, async (request, reply) => {
      refuseEmbedded(request);
      const search = searchOf(request);
      const [host, flow, challenge] = ['host', 'flow', 'challenge'].map((name) => search.get(name) ?? '');
      if (host === undefined || flow === undefined || challenge === undefined || !isHandOffRequest(flow, challenge)) {
        throw new PosternError('request_invalid', 'This sign-in link is not complete. Open the app again.');
      }
      const person = await deps.people.readPerson(request);
      // It would make a cookie that outlives the token.
      if (person?.token !== undefined) throw new PosternError('forbidden', 'A token signs no browser in at an app.');
      if (!person) {
        const location = `/sign-in?return=${encodeURIComponent(request.url)}`;
        return redirect(reply, { location, setCookies: [] });
      }
      const resource = deps.findResource(host);
      const location = resource && (await deps.handOffs.grant(person.session, resource, flow, challenge));
      if (!location) throw new PosternError('forbidden', 'There is no app here that you may use.');
      return redirect(reply, { location, setCookies: [] });
    });

    app.get('/signed-out', { config: { permission: 'anyone' } }, (_request, reply) =>
      sendPage(reply, 200, {
        title: 'You are signed out',
        body: html`<p>Your sessions in this browser have ended, here and in every app.</p>
<p><a class="button" href="/sign-in">Sign in again</a></p>`,
      }),
    );

    app.post(
      '/api/v1/sign-out',
      {
        config: { permission: 'signed-in', summary: 'End my sessions in this browser, here and in every app' },
        schema: { body: Nothing, response: { 200: SignedOut } },
      },
      async (request, reply) => {
        const location = await deps.signIns.signOut(personOf(request).session);
        return reply.header('set-cookie', dropCookie(SESSION_COOKIE)).send({ location });
      },
    );

    app.get('/.well-known/jwks.json', { config: { permission: 'anyone' } }, (_request, reply) =>
      reply
        .header('cache-control', 'public, max-age=300')
        .type('application/jwk-set+json')
        .send(JSON.stringify(deps.keys.publicKeys)),
    );
  };
}

const SignInQuery = Type.Object({
  return: Type.Optional(Type.String({ maxLength: 4096 })),
  /** Added by our own redirect: see cookie-probe.ts. */
  probed: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
});
type SignInQuery = Static<typeof SignInQuery>;

/**
 * People come here by navigation. An image or a fetch of a hostile page, which is of the same site and so carries the
 * cookie, would only push out the sign-ins and codes that are under way.
 */
function refuseEmbedded({ headers }: FastifyRequest): void {
  const mode = headers['sec-fetch-mode'];
  if (mode === undefined || mode === 'navigate') return;
  throw new PosternError('forbidden', 'Sign-in is a page, not a part of another. Open Postern itself and try again.');
}

function redirect(reply: FastifyReply, { location, setCookies }: Redirect): FastifyReply {
  reply.header('referrer-policy', 'no-referrer');
  for (const cookie of setCookies) reply.header('set-cookie', cookie);
  return reply.redirect(location, 303);
}

/** As it came: the provider's answer is checked byte for byte, and a repeated parameter must stay one. */
function searchOf(request: FastifyRequest): URLSearchParams {
  const mark = request.url.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : request.url.slice(mark + 1));
}
