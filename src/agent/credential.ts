import { Type } from 'typebox';
import type { AgentConfig } from '../config/agent-config.ts';
import { PosternError } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { parser } from '../lib/schema.ts';
import { signToken } from '../token/jwt.ts';
import type { SigningKey } from '../token/key.ts';
import { postJson } from './post-json.ts';

const ASSERTION_LIFE_SECONDS = 60;
/** A clock this far off is worth a word: the relay takes ±60 s. */
export const NOTABLE_SKEW_MS = 30_000;

export interface Credential {
  readonly jwt: string;
  readonly jti: string;
  /** Relay's epoch ms. */
  readonly expiresAt: number;
}

const parseAnswer = parser(
  Type.Object({ credential: Type.String(), expiresAt: Type.Integer() }),
  "The relay's answer to the client assertion",
  'credential_refused',
);

/** Exchanges a client assertion (RFC 7523) signed by this device's key for a device credential of some minutes. */
export async function fetchCredential(config: AgentConfig, key: SigningKey, signal: AbortSignal): Promise<Credential> {
  const assertion = await signToken(
    key,
    {
      type: 'postern-client-assertion+jwt',
      issuer: config.name,
      subject: config.name,
      audience: config.relay,
      lifeSeconds: ASSERTION_LIFE_SECONDS,
      claims: {},
    },
    sortableId(),
    Date.now(),
  );
  const answer = await postJson(config, '/api/v1/agents/credential', { assertion }, signal);
  if (answer.status !== 200) throw refusal(answer.status, answer.body);
  const { credential, expiresAt } = parseAnswer(answer.body);
  return { jwt: credential, jti: jtiOf(credential), expiresAt };
}

/** The credential is the relay's own: we only need its name, the relay verifies it. */
export function jtiOf(jwt: string): string {
  const payload: unknown = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return parseJti(payload).jti;
}

const parseJti = parser(Type.Object({ jti: Type.String({ minLength: 1 }) }), 'The credential', 'credential_refused');

function refusal(status: number, body: unknown): PosternError {
  const now = typeof body === 'object' && body !== null && 'now' in body ? body.now : undefined;
  const skewMs = typeof now === 'number' ? Date.now() - now : 0;
  const clock =
    Math.abs(skewMs) > NOTABLE_SKEW_MS
      ? ` This machine's clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the relay's: set it right.`
      : '';
  // 4xx is about us; anything else is the relay's trouble and passes.
  const code = status >= 400 && status < 500 && status !== 429 ? 'credential_refused' : 'tunnel_closed';
  return new PosternError(code, `The relay gave no device credential (${status}).${clock}`);
}
