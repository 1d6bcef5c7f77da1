import './quiet.ts';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Configuration, type JWKS, Provider } from 'oidc-provider';
import { ACCOUNTS, emailOf } from './accounts.ts';
import { kept } from './kept.ts';
import { loginPage, messagePage, SIGN_OUT_SCRIPT } from './provider-pages.ts';

export interface ProviderOptions {
  /** Loopback port; the issuer is `http://localhost:<port>`. */
  readonly port: number;
  /** Keys that must outlive a restart are kept here. */
  readonly directory: string;
  /** Origin of the relay that may use it. */
  readonly relay: string;
  readonly clientSecret: string;
}

export interface RunningProvider extends AsyncDisposable {
  readonly issuer: string;
}

/** Sign-in form bodies are this small; anything longer is not one. */
const MAX_FORM_BYTES = 4096;

/** A certified OpenID provider on the loopback, with demo accounts. Its grants live in memory. */
export async function startProvider(options: ProviderOptions): Promise<RunningProvider> {
  const issuer = `http://localhost:${options.port}`;
  const provider = new Provider(issuer, configuration(options));
  provider.on('server_error', (_, error) => process.stderr.write(`Demo provider: ${error.stack ?? error.message}\n`));

  const handle = provider.callback();
  const server = createServer((request, response) => {
    const interaction = /^\/sign-in\/([\w-]+)$/.exec(request.url ?? '');
    const work = interaction ? signIn(provider, request, response) : handle(request, response);
    Promise.resolve(work).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(400, HTML);
      response.end(messagePage('This sign-in has ended', 'Go back to where you came from and try again.'));
      if (!(error instanceof Error && error.name === 'SessionNotFound'))
        process.stderr.write(`Demo provider: ${String(error)}\n`);
    });
  });
  server.listen(options.port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  return {
    issuer,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const HTML = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' };

async function signIn(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response);
  if (prompt.name !== 'login') throw new Error(`The demo provider has no page for the prompt ${prompt.name}.`);
  if (request.method !== 'POST') {
    response.writeHead(200, HTML);
    response.end(
      loginPage({ hint: typeof params['login_hint'] === 'string' ? params['login_hint'] : '', failed: false }),
    );
    return;
  }
  const form = await readForm(request);
  const name = (form.get('username') ?? '')
    .trim()
    .toLowerCase()
    .replace(/@example\.com$/, '');
  const account = ACCOUNTS.find(({ id }) => id === name);
  if (!account || form.get('password') !== account.id) {
    response.writeHead(401, HTML);
    response.end(loginPage({ hint: name, failed: true }));
    return;
  }
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: account.id, amr: ['pwd'], remember: true } },
    { mergeWithLastSubmission: false },
  );
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request as AsyncIterable<Buffer>) {
    text += chunk.toString('latin1');
    if (text.length > MAX_FORM_BYTES) throw new Error('The form is too long.');
  }
  return new URLSearchParams(text);
}

function configuration({ directory, relay, clientSecret }: ProviderOptions): Configuration {
  return {
    clients: [
      {
        client_id: 'postern',
        client_name: 'Postern',
        client_secret: clientSecret,
        redirect_uris: [`${relay}/oidc/callback`],
        post_logout_redirect_uris: [relay, `${relay}/`, `${relay}/signed-out`],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username'],
      groups: ['groups'],
    },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
    // The claims go into the ID token too, so that a relying party needs no second request.
    conformIdTokenClaims: false,
    findAccount: (_, id) => {
      const account = ACCOUNTS.find((candidate) => candidate.id === id);
      if (!account) return undefined;
      return {
        accountId: id,
        claims: () => ({
          sub: id,
          name: account.name,
          preferred_username: id,
          email: emailOf(account),
          email_verified: true,
          groups: [...account.groups],
        }),
      };
    },
    interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
    // A demo: whoever signs in has agreed. Without this it would ask for consent.
    loadExistingGrant: async (ctx) => {
      const { client, session, provider, result } = ctx.oidc;
      if (!client || !session?.accountId) return undefined;
      const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
      if (known) {
        const grant = await provider.Grant.find(known);
        if (grant) return grant;
      }
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid offline_access email profile groups');
      await grant.save();
      return grant;
    },
    cookies: {
      keys: [kept(`${directory}/cookie-key`, () => randomBytes(32).toString('base64url'))],
      names: { session: 'demo-provider', interaction: 'demo-sign-in', resume: 'demo-resume' },
    },
    jwks: JSON.parse(kept(`${directory}/keys.json`, newKeys)) as JWKS,
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        // The person has already said "sign out" at Postern; asking once more would only be in the way.
        logoutSource: (ctx, form) => {
          ctx.body = messagePage('Signing you out…', '', `${form}${SIGN_OUT_SCRIPT}`);
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = messagePage('You are signed out', `<a href="${relay}/">Back to Postern</a>`);
        },
      },
    },
    ttl: { Session: 14 * 86_400, Interaction: 3600, Grant: 14 * 86_400, AccessToken: 3600, IdToken: 3600 },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = messagePage('The demo provider refused this', `${out.error}: ${out.error_description ?? ''}`);
    },
  };
}

function newKeys(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = {
    ...privateKey.export({ format: 'jwk' }),
    use: 'sig',
    alg: 'RS256',
    kid: randomBytes(6).toString('hex'),
  };
  return JSON.stringify({ keys: [key] });
}
