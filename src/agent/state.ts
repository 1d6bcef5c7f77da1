import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Static, Type } from 'typebox';
import { messageOf, PosternError } from '../lib/errors.ts';
import { parser } from '../lib/schema.ts';
import { generateSigningKey, pemOf, type SigningKey, signingKeyFromPem } from '../token/key.ts';

export const RelayKeys = Type.Object({
  keys: Type.Array(
    Type.Object({
      kty: Type.Literal('OKP'),
      crv: Type.Literal('Ed25519'),
      x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
      kid: Type.String({ minLength: 1, maxLength: 128 }),
    }),
    { minItems: 1, maxItems: 32 },
  ),
});

const Enrolled = Type.Object({
  relay: Type.String(),
  agent: Type.String(),
  /** Hex SHA-256 of the token that was used up: another one in the file means "enroll again". */
  tokenHash: Type.String(),
  relayKeys: RelayKeys,
});

/** What enrollment left on this device. */
export type Enrolled = Static<typeof Enrolled>;

const parseEnrolled = parser(Enrolled, "The agent's enrollment file", 'config_invalid');

/** The agent's directory: `agent-key.pem` (secret, mode 0600) and `enrolled.json`. */
export class AgentState {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The key pair of this device, made on first use; the private half never leaves it. */
  loadKey(): SigningKey {
    const path = join(this.#directory, 'agent-key.pem');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const existing = readIfThere(path);
    if (existing !== undefined) return signingKeyFromPem(existing);
    const key = generateSigningKey();
    writeWhole(path, pemOf(key));
    return key;
  }

  /** A fresh key pair that waits beside the present one, until `adoptNextKey`. */
  makeNextKey(): SigningKey {
    const key = generateSigningKey();
    writeWhole(join(this.#directory, 'agent-key.next.pem'), pemOf(key));
    return key;
  }

  /** The relay has bound it: it takes the place of the present one. */
  adoptNextKey(): void {
    renameSync(join(this.#directory, 'agent-key.next.pem'), join(this.#directory, 'agent-key.pem'));
  }

  /** Undefined until enrolled, or when it was enrolled under another name or at another relay. */
  loadEnrolled(relay: string, agent: string): Enrolled | undefined {
    const path = join(this.#directory, 'enrolled.json');
    const text = readIfThere(path);
    if (text === undefined) return undefined;
    try {
      const enrolled = parseEnrolled(JSON.parse(text));
      return enrolled.relay === relay && enrolled.agent === agent ? enrolled : undefined;
    } catch (cause) {
      throw new PosternError(
        'config_invalid',
        `${path} cannot be read (${messageOf(cause)}). Remove it and enroll the agent again.`,
        { cause },
      );
    }
  }

  saveEnrolled(enrolled: Enrolled): void {
    writeWhole(join(this.#directory, 'enrolled.json'), `${JSON.stringify(enrolled, null, 2)}\n`);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whole or not at all, even when the process dies meanwhile. */
function writeWhole(path: string, text: string): void {
  const aside = `${path}.new`;
  writeFileSync(aside, text, { mode: 0o600, flush: true });
  renameSync(aside, path);
}
