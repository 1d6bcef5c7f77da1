import Type from 'typebox';
import { randomToken, sha256 } from '../lib/bytes.ts';
import { printable } from '../lib/printable.ts';
import { parser } from '../lib/schema.ts';
import { Secret } from '../lib/secret.ts';
import { within } from '../lib/wait.ts';
import type { Credential } from './credentials.ts';
import { listenForCode } from './loopback.ts';
import { callRelay, machineName } from './relay-api.ts';
import { TokenText } from './token-text.ts';

export interface LoginOptions {
  /** Origin of the relay. */
  readonly relay: string;
  /** Called once with the address that a browser on this machine must open. */
  readonly visit: (url: string) => void;
  readonly signal: AbortSignal;
}

/** A person has this long to sign in. */
const SIGN_IN_LIMIT_MS = 5 * 60_000;

/**
 * Signs this command line in: authorization code with PKCE (RFC 7636, S256) to a loopback listener (RFC 8252 §7.3).
 * Only this process holds the verifier, so a code that another program catches is worth nothing to it.
 */
export async function login({ relay, visit, signal }: LoginOptions): Promise<Credential> {
  const verifier = randomToken();
  const state = randomToken();
  await using listener = await listenForCode(state);

  const url = new URL('/cli/authorize', relay);
  url.search = new URLSearchParams({
    redirect_uri: listener.redirectUri,
    state,
    code_challenge: sha256(verifier).toString('base64url'),
    machine: machineName(),
  }).toString();
  visit(url.href);

  const code = await within(SIGN_IN_LIMIT_MS, 'Signing in', listener.code(signal));
  const answer = parseToken(
    await callRelay({
      relay,
      method: 'POST',
      path: '/cli/token',
      json: { code, verifier, redirectUri: listener.redirectUri },
      signal,
    }),
  );
  return { relay, token: new Secret(answer.token), expiresAt: answer.expiresAt, person: printable(answer.person) };
}

const parseToken = parser(
  Type.Object({ token: TokenText, expiresAt: Type.Number(), person: Type.String() }),
  "The relay's answer to the sign-in",
  'request_invalid',
);
