import { type Static, Type } from 'typebox';
import type { AdminLinks } from '../../identity/sign-in/admin-links.ts';
import { PosternError } from '../../lib/errors.ts';
import { html } from '../../lib/page/html.ts';
import { callerOf } from '../caller.ts';
import { sendPage } from '../page.ts';
import type { ControlPlugin } from '../ports.ts';

export interface AdminLinkRoutesDeps {
  readonly adminLinks: AdminLinks;
  readonly relayOrigin: string;
}

/** More guesses per minute and address are 429. */
const RATE = { max: 20, timeWindow: 60_000 };

const Open = Type.Object({ code: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false });

/**
 * Opens what `postern admin link` made on the relay's machine. Only the button of our own page does: whatever looks at
 * addresses before people do would use the link up, and a link planted by another page would sign somebody in.
 */
export function adminLinkRoutes({ adminLinks, relayOrigin }: AdminLinkRoutesDeps): ControlPlugin {
  return async (app) => {
    app.get('/admin-link', { config: { permission: 'anyone', rateLimit: RATE } }, (_request, reply) =>
      sendPage(reply.header('referrer-policy', 'no-referrer'), 200, {
        title: 'Sign in from the relay’s machine?',
        body: html`<p>This link was made with <code>postern admin link</code>. It opens one short session with the role
admin, in place of any other in this browser. Go on only if you have just made it yourself.</p>
<form data-json data-fragment="code" action="/admin-link" method="post">
<p><button>Sign in</button> <a href="/">Leave it</a></p>
</form>`,
      }),
    );

    app.post<{ Body: Static<typeof Open> }>(
      '/admin-link',
      {
        config: { permission: 'anyone', rateLimit: RATE },
        schema: { body: Open, response: { 200: Type.Object({ location: Type.String() }) } },
      },
      async (request, reply) => {
        if (request.headers.origin !== relayOrigin)
          throw new PosternError('forbidden', 'A link is opened in a browser, by the button of its page.');
        const { cookie } = request.headers;
        const { location, setCookies } = await adminLinks.open(request.body.code, cookie, callerOf(request));
        return reply.header('set-cookie', setCookies).send({ location });
      },
    );
  };
}
