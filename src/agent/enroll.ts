import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import type { AgentConfig } from '../config/agent-config.ts';
import { parseEnrollmentTokenFile } from '../config/enrollment-token.ts';
import { sha256Hex } from '../lib/bytes.ts';
import { PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { publicJwkOf, type SigningKey, thumbprint } from '../token/key.ts';
import { postJson } from './post-json.ts';
import { type Enrolled, RelayKeys } from './state.ts';

const parseAnswer = parser(
  Type.Object({ agent: Type.String(), relayKeys: RelayKeys }),
  "The relay's answer to the enrollment",
  'enrollment_refused',
);

/** The token that waits in the configured file; undefined when there is none. */
export function waitingToken(config: AgentConfig): { token: string; hash: string } | undefined {
  if (config.enrollmentTokenFile === undefined) return undefined;
  try {
    const { token } = parseEnrollmentTokenFile(readFileSync(config.enrollmentTokenFile, 'utf8'));
    return token === '' ? undefined : { token, hash: sha256Hex(token) };
  } catch {
    return undefined;
  }
}

/** Binds our public key to the agent's name with the single-use token, and learns which relay keys to trust from now on. */
export async function enroll(config: AgentConfig, key: SigningKey, signal: AbortSignal): Promise<Enrolled> {
  const waiting = waitingToken(config);
  if (!waiting) {
    const { enrollmentTokenFile: place } = config;
    const missing =
      place === undefined
        ? 'no file with an enrollment token is named (enrollmentTokenFile, --enroll-token-file)'
        : `there is no enrollment token in ${place}`;
    throw new PosternError(
      'enrollment_refused',
      `This agent is not enrolled, and ${missing}. Ask whoever runs the relay for one (postern agents token create NAME --out FILE).`,
    );
  }
  const answer = await postJson(
    config,
    '/api/v1/agents/enroll',
    { token: waiting.token, name: config.name, publicKey: publicJwkOf(key.publicKey) },
    signal,
  );
  if (answer.status >= 500 || answer.status === 429) {
    throw new PosternError(
      'tunnel_closed',
      `The relay could not look at the enrollment token just now (${answer.status}). The token is as good as before.`,
    );
  }
  if (answer.status !== 200) {
    throw new PosternError(
      'enrollment_refused',
      `The relay refused the enrollment token (${answer.status}): it is unknown, used, expired, or of another agent than ${config.name}. Put a fresh one into ${config.enrollmentTokenFile ?? ''}.`,
    );
  }
  const { agent, relayKeys } = parseAnswer(answer.body);
  if (agent !== config.name || relayKeys.keys.some(({ kty, crv, x, kid }) => thumbprint({ kty, crv, x }) !== kid)) {
    throw new PosternError('enrollment_refused', "The relay's answer to the enrollment contradicts itself.");
  }
  return { relay: config.relay, agent, tokenHash: waiting.hash, relayKeys };
}
