import { Type } from 'typebox';
import type { RelayConfig } from '../../config/relay-config.ts';
import { messageOf } from '../../lib/errors.ts';
import { parser } from '../../lib/schema.ts';
import { type Finding, right, wrong } from './finding.ts';

const FETCH_MS = 5_000;
/** Tokens are refused when clocks differ by more than about a minute; Date has a resolution of one second. */
const MAX_SKEW_MS = 30_000;

const parseMetadata = parser(
  Type.Object({
    issuer: Type.String(),
    authorization_endpoint: Type.String(),
    token_endpoint: Type.String(),
    jwks_uri: Type.String(),
    scopes_supported: Type.Optional(Type.Array(Type.String())),
    code_challenge_methods_supported: Type.Optional(Type.Array(Type.String())),
  }),
  'The metadata',
  'provider_unavailable',
);
const parseKeys = parser(
  Type.Object({ keys: Type.Array(Type.Object({}), { minItems: 1 }) }),
  'The key set',
  'provider_unavailable',
);

/** Discovery as OpenID Connect Discovery 1.0 §4 says it, the keys behind it, and our clock against the provider's. */
export async function checkProvider({ provider }: RelayConfig): Promise<Finding[]> {
  const url = `${provider.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const asked = Date.now();
  let metadata: ReturnType<typeof parseMetadata>;
  let date: string | null;
  try {
    const answer = await get(url);
    date = answer.headers.get('date');
    metadata = parseMetadata(await answer.json());
  } catch (error) {
    return [
      wrong(
        `${url} does not answer as it should: ${messageOf(error)}`,
        'Check provider.issuer, and that this machine may reach it (firewall, DNS, CA).',
      ),
    ];
  }
  const findings = [
    metadata.issuer === provider.issuer
      ? right(`${provider.issuer} answers`)
      : wrong(
          `it calls itself ${metadata.issuer}`,
          `Write exactly that as provider.issuer, if it is the provider you mean (a "/" at the end counts).`,
        ),
    await checkKeys(metadata.jwks_uri),
    checkClock(date, asked),
  ];
  const missing = provider.scopes.filter((scope) => metadata.scopes_supported?.includes(scope) === false);
  if (missing.length > 0)
    findings.push(
      wrong(
        `it does not list the scopes ${missing.join(', ')}`,
        'Set provider.scopes to what it offers; group rules then need a groups claim from another scope (provider.groupsClaim).',
      ),
    );
  if (metadata.code_challenge_methods_supported?.includes('S256') === false)
    findings.push(wrong('it does not list PKCE with S256', 'Turn it on for this client.'));
  return findings;
}

async function checkKeys(uri: string): Promise<Finding> {
  try {
    const { keys } = parseKeys(await (await get(uri)).json());
    return right(`${keys.length} signing ${keys.length === 1 ? 'key' : 'keys'}`);
  } catch (error) {
    return wrong(`its keys at ${uri} cannot be read: ${messageOf(error)}`, 'Ask whoever runs the provider.');
  }
}

function checkClock(date: string | null, askedAt: number): Finding {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return right('it states no time to compare the clock with');
  // Anywhere between question and answer would be right.
  const skewMs = Math.max(askedAt - theirs - 1_000, theirs - Date.now(), 0);
  return skewMs <= MAX_SKEW_MS
    ? right('the clocks agree')
    : wrong(
        `the clocks differ by ${Math.round(skewMs / 1000)} s`,
        'Turn on time synchronisation (timedatectl set-ntp true): tokens are refused otherwise.',
      );
}

async function get(url: string): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, {
      signal: AbortSignal.timeout(FETCH_MS),
      redirect: 'error',
      headers: { accept: 'application/json' },
    });
  } catch (error) {
    // fetch hides the reason in the cause.
    throw error instanceof Error && error.cause instanceof Error ? error.cause : error;
  }
  if (answer.status !== 200) throw new Error(`status ${answer.status}`);
  return answer;
}
