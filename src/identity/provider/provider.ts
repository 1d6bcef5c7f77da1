import * as oidc from 'openid-client';
import type { Profile } from '../../domain/stored/principal.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf, PosternError } from '../../lib/errors.ts';
import type { Secret } from '../../lib/secret.ts';
import { boundedFetch } from './bounded-fetch.ts';
import { checkIdToken } from './id-token.ts';
import { isIncomplete, profileOf } from './profile.ts';

export interface ProviderOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, held by PKCE alone. */
  readonly clientSecret: Secret | undefined;
  readonly scopes: readonly string[];
  readonly groupsClaim: string;
  /** `<relay origin>/oidc/callback`, as registered at the provider. */
  readonly redirectUri: string;
  readonly clock: Clock;
}

/** What one sign-in must get back, and only it. */
export interface FlowSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface ProvenPerson {
  readonly profile: Profile;
  readonly amr: readonly string[];
  readonly idToken: string;
}

/** Each call to the provider. */
const TIMEOUT_SECONDS = 5;
/** After this the provider's metadata is read again. */
const METADATA_LIFE_MS = 3_600_000;
/** After a failed read, others fail at once for this long. */
const RETRY_AFTER_MS = 1_000;

export type Provider = ReturnType<typeof createProvider>;

/**
 * The OpenID Connect provider, by discovery at the first sign-in: a provider that is down stops sign-ins and nothing
 * else. Rejects with `provider_unavailable` or `sign_in_refused`.
 */
export function createProvider(options: ProviderOptions) {
  const issuer = checkIssuer(options.issuer);
  let metadata: { readonly value: Promise<oidc.ServerMetadata>; readonly readAt: number } | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;

  async function discover(): Promise<oidc.ServerMetadata> {
    const now = options.clock();
    if (metadata && now - metadata.readAt < METADATA_LIFE_MS) return metadata.value;
    if (now - failedAt < RETRY_AFTER_MS) throw unavailable('It failed a moment ago.');
    const value = readMetadata(issuer, options.clientId);
    metadata = { value, readAt: now };
    try {
      return await value;
    } catch (error) {
      metadata = undefined;
      failedAt = options.clock();
      throw error;
    }
  }

  /** A new one for each use: it reads the provider's keys anew, so a rotated key is known at the next sign-in. */
  async function configure(): Promise<oidc.Configuration> {
    const server = await discover();
    const configuration = new oidc.Configuration(server, options.clientId, undefined, authentication(server, options));
    configuration.timeout = TIMEOUT_SECONDS;
    configuration[oidc.customFetch] = boundedFetch;
    for (const apply of insecure(issuer)) apply(configuration);
    // Without it the signature is not looked at in the code flow.
    oidc.enableNonRepudiationChecks(configuration);
    return configuration;
  }

  return {
    /** Where the browser goes to sign in. */
    async authorizationUrl({ state, nonce, verifier }: FlowSecrets): Promise<string> {
      return oidc.buildAuthorizationUrl(await configure(), {
        redirect_uri: options.redirectUri,
        scope: options.scopes.join(' '),
        response_type: 'code',
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href;
    },

    /** `callback` is the redirect URI with what the provider added. */
    async redeem(callback: URL, flow: FlowSecrets): Promise<ProvenPerson> {
      const configuration = await configure();
      const tokens = await orRefuse(
        oidc.authorizationCodeGrant(configuration, callback, {
          expectedState: flow.state,
          expectedNonce: flow.nonce,
          pkceCodeVerifier: flow.verifier,
          idTokenExpected: true,
        }),
      );
      const idToken = tokens.id_token;
      const claims = tokens.claims();
      if (idToken === undefined || claims === undefined) return refuse('The provider sent no ID token.');
      const server = configuration.serverMetadata();
      const { sub, amr } = checkIdToken(idToken, {
        issuer: server.issuer,
        clientId: options.clientId,
        nonce: flow.nonce,
        nowMs: options.clock(),
      });
      const sources: Record<string, unknown>[] = [claims];
      if (server.userinfo_endpoint !== undefined && isIncomplete(claims, options.groupsClaim)) {
        sources.push(await orRefuse(oidc.fetchUserInfo(configuration, tokens.access_token, sub)));
      }
      return { profile: profileOf(server.issuer, sub, sources, options.groupsClaim), amr: amr ?? [], idToken };
    },

    /** Where the browser signs out at the provider (OpenID Connect RP-Initiated Logout); undefined when it offers none. */
    async endSessionUrl(returnTo: string, idToken: string | undefined): Promise<string | undefined> {
      const configuration = await configure();
      if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
      return oidc.buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: returnTo,
        client_id: options.clientId,
        ...(idToken === undefined ? {} : { id_token_hint: idToken }),
      }).href;
    },
  };
}

async function readMetadata(issuer: URL, clientId: string): Promise<oidc.ServerMetadata> {
  try {
    const configuration = await oidc.discovery(issuer, clientId, undefined, oidc.None(), {
      timeout: TIMEOUT_SECONDS,
      [oidc.customFetch]: boundedFetch,
      execute: insecure(issuer),
    });
    return { ...configuration.serverMetadata() };
  } catch (cause) {
    throw unavailable(messageOf(cause), cause);
  }
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function checkIssuer(issuer: string): URL {
  const url = URL.canParse(issuer) ? new URL(issuer) : undefined;
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname))) return url;
  throw new PosternError('config_invalid', `provider.issuer ${issuer} must be an https URL (http only on localhost).`);
}

function insecure(issuer: URL): ((configuration: oidc.Configuration) => void)[] {
  return issuer.protocol === 'http:' ? [oidc.allowInsecureRequests] : [];
}

/** HTTP Basic is the default of OAuth (RFC 6749 §2.3.1, RFC 8414 §2); in the body only where the provider wants nothing else. */
function authentication(server: oidc.ServerMetadata, { clientSecret }: ProviderOptions): oidc.ClientAuth {
  if (!clientSecret) return oidc.None();
  const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return methods.includes('client_secret_basic') || !methods.includes('client_secret_post')
    ? oidc.ClientSecretBasic(clientSecret.reveal())
    : oidc.ClientSecretPost(clientSecret.reveal());
}

async function orRefuse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (isOutage(cause)) throw unavailable(messageOf(cause), cause);
    return refuse(describe(cause), cause);
  }
}

/** The network's fault, or the provider's own (5xx), not the answer's. */
function isOutage(error: unknown): boolean {
  if (error instanceof TypeError) return true;
  // The limit passed while the answer was on its way.
  if (error instanceof DOMException && error.name === 'TimeoutError') return true;
  if (error instanceof Response) return error.status >= 500;
  if (!(error instanceof Error)) return false;
  const code = error instanceof oidc.ClientError ? error.code : undefined;
  return code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT' || isOutage(error.cause);
}

function describe(error: unknown): string {
  if (error instanceof Error && error.cause instanceof PosternError) return error.cause.message;
  if (error instanceof oidc.AuthorizationResponseError) return `The provider answered ${error.error}.`;
  if (error instanceof oidc.ResponseBodyError) return `The provider answered ${error.error}.`;
  return `The provider's answer was not accepted: ${messageOf(error)}.`;
}

function unavailable(detail: string, cause?: unknown): PosternError {
  return new PosternError('provider_unavailable', `The sign-in provider does not answer. ${detail}`, { cause });
}

function refuse(message: string, cause?: unknown): never {
  throw new PosternError('sign_in_refused', message, { cause });
}
