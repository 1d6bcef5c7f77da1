import { type Static, Type } from 'typebox';
import type { DeviceCodes } from '../../identity/device-codes.ts';
import type { Sessions } from '../../identity/sessions.ts';
import type { Tokens } from '../../identity/tokens.ts';
import { PosternError } from '../../lib/errors.ts';
import { html } from '../../lib/page/html.ts';
import { actorOf } from '../api/actor.ts';
import { closed, Nothing } from '../contract/parts.ts';
import { sendPage } from '../page.ts';
import { personOf } from '../permission.ts';
import type { ControlPlugin } from '../ports.ts';
import { serveDeviceSignIn } from './device-routes.ts';
import { labelOf, Machine, RATE, Redeemed } from './parts.ts';

export interface CliRoutesDeps {
  readonly tokens: Tokens;
  readonly deviceCodes: DeviceCodes;
  readonly sessions: Pick<Sessions, 'revokeToken'>;
  /** The audience of tokens for the resource at an origin, in the snapshot in force. */
  readonly audienceOf: (origin: string) => string | undefined;
}

/** RFC 8252 §7.3: the loopback by address, any port. */
const RedirectUri = Type.String({
  maxLength: 200,
  pattern: '^http://(127\\.0\\.0\\.1|\\[::1\\]):[0-9]{1,5}/[A-Za-z0-9/_.-]*$',
});
const State = Type.String({ minLength: 1, maxLength: 200, pattern: '^[\\x21-\\x7e]+$' });
/** S256 of RFC 7636 §4.2, and only that. */
const Challenge = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' });

const AuthorizeQuery = Type.Object({
  redirect_uri: RedirectUri,
  state: State,
  code_challenge: Challenge,
  code_challenge_method: Type.Optional(Type.Literal('S256')),
  machine: Type.Optional(Machine),
});
const Authorize = Type.Object(
  {
    redirectUri: RedirectUri,
    state: State,
    challenge: Challenge,
    machine: Machine,
    answer: Type.Union([Type.Literal('allow'), Type.Literal('refuse')]),
  },
  closed,
);
const Redeem = Type.Object(
  {
    code: Type.String({ minLength: 1, maxLength: 100 }),
    verifier: Type.String({ minLength: 43, maxLength: 128 }),
    redirectUri: RedirectUri,
  },
  closed,
);
const TokenRequest = Type.Object(
  {
    audience: Type.String({ maxLength: 300 }),
    /** Default, and at most: as long as the session. */
    lifeMs: Type.Optional(Type.Integer({ minimum: 60_000 })),
  },
  closed,
);

/** The session that goes on without it. */
const SignedOut = Type.Object({ signedOut: Type.String() });
const IssuedToken = Type.Object({ token: Type.String(), expiresAt: Type.Integer(), audience: Type.String() });

/** The relay as authorization server of command lines: a loopback redirect and PKCE, then a token for the relay itself. */
export function cliRoutes({ tokens, deviceCodes, sessions, audienceOf }: CliRoutesDeps): ControlPlugin {
  return async (app) => {
    serveDeviceSignIn(app, deviceCodes);

    app.get<{ Querystring: Static<typeof AuthorizeQuery> }>(
      '/cli/authorize',
      { config: { permission: 'signed-in', rateLimit: RATE }, schema: { querystring: AuthorizeQuery } },
      (request, reply) => {
        const { redirect_uri, state, code_challenge, machine = 'a command line' } = request.query;
        const { principal } = personOf(request).session;
        return sendPage(reply, 200, {
          title: 'Let a command line act as you?',
          body: html`<p>The <code>postern</code> command on <strong>${machine}</strong> asks to act as
<strong>${labelOf(principal)}</strong> until this session ends. Agree only if you have just started it yourself.</p>
<form data-json action="/cli/authorize" method="post">
<input type="hidden" name="redirectUri" value="${redirect_uri}">
<input type="hidden" name="state" value="${state}">
<input type="hidden" name="challenge" value="${code_challenge}">
<input type="hidden" name="machine" value="${machine}">
<p><button name="answer" value="allow">Let it act as me</button>
<button name="answer" value="refuse" class="quiet">Refuse</button></p>
</form>`,
        });
      },
    );

    app.post<{ Body: Static<typeof Authorize> }>(
      '/cli/authorize',
      {
        config: { permission: 'signed-in', by: ['browser'], rateLimit: RATE },
        schema: { body: Authorize, response: { 200: Type.Object({ location: Type.String() }) } },
      },
      async (request, reply) => {
        const { redirectUri, state, challenge, machine, answer } = request.body;
        const location = new URL(redirectUri);
        if (answer === 'allow') {
          const code = await tokens.createCode(personOf(request).session, redirectUri, challenge, machine);
          location.searchParams.set('code', code);
        } else {
          location.searchParams.set('error', 'access_denied');
        }
        location.searchParams.set('state', state);
        return reply.send({ location: location.href });
      },
    );

    app.post<{ Body: Static<typeof Redeem> }>(
      '/cli/token',
      { config: { permission: 'anyone', rateLimit: RATE }, schema: { body: Redeem, response: { 200: Redeemed } } },
      async (request) => {
        const { code, verifier, redirectUri } = request.body;
        const { token, expiresAt, session } = await tokens.redeemCode(code, redirectUri, verifier);
        return { token, expiresAt, person: labelOf(session.principal) };
      },
    );

    app.post<{ Body: Static<typeof TokenRequest> }>(
      '/api/v1/tokens',
      {
        config: {
          permission: 'signed-in',
          rateLimit: RATE,
          summary: 'A token for one app, as a child of this session',
        },
        schema: { body: TokenRequest, response: { 200: IssuedToken } },
      },
      async (request) => {
        const { audience, lifeMs } = request.body;
        const { session, token: through } = personOf(request);
        const issuedFor = audienceOf(audience);
        if (issuedFor === undefined) {
          throw new PosternError('not_found', `There is no app at ${audience} that you may use.`);
        }
        const { token, expiresAt } = await tokens.issueFor(session, issuedFor, { through, lifeMs });
        return { token, expiresAt, audience };
      },
    );

    app.delete(
      '/api/v1/tokens/current',
      {
        config: {
          permission: 'signed-in',
          by: ['command_line'],
          summary: 'Sign this command line out: its token and those issued through it; the session goes on',
        },
        schema: { body: Nothing, response: { 200: SignedOut } },
      },
      async (request) => {
        const { session, token = '' } = personOf(request);
        await sessions.revokeToken(token, actorOf(request));
        return { signedOut: session.id };
      },
    );
  };
}
