import { Type } from 'typebox';
import type { AgentEvent } from '../../domain/audit-event/agent.ts';
import type { Actor } from '../../domain/audit-event/event-base.ts';
import type { AuditAppender } from '../../domain/audit-event.ts';
import type { StoredAgent } from '../../domain/stored/agent.ts';
import { sha256Hex } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { PosternError } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { parser } from '../../lib/schema.ts';
import { publicKeyFromJwk, thumbprint } from '../../token/key.ts';
import { createAllowance } from '../allowance.ts';
import type { Mint } from '../keys/mint.ts';
import type { KeyRing } from '../keys/signing-keys.ts';
import type { AgentStore, Caller, Strangers } from '../ports.ts';

export interface EnrollmentDeps {
  readonly store: AgentStore;
  readonly keys: KeyRing;
  readonly mint: Mint;
  /** Names in the configuration; nobody else can enroll. */
  isConfigured(agent: string): boolean;
  readonly audit: AuditAppender;
  readonly strangers: Strangers;
  readonly clock: Clock;
}

const TOKEN_LIFE_MS = 3_600_000;
/** Unredeemed tokens of one agent; a new one displaces the oldest. */
const MAX_TOKENS = 8;
/** Hex digits of a token's hash that name it. */
const TOKEN_ID_LENGTH = 16;
/** Refusals with a record of their own, per minute; the rest is summed. */
const RECORDED_REFUSALS = 10;

export type Enrolling = ReturnType<typeof createEnrollment>;

/** Binds an agent's key to its name, once per token. */
export function createEnrollment(deps: EnrollmentDeps) {
  const { store, keys, mint, audit, clock } = deps;
  const mayRecord = createAllowance(RECORDED_REFUSALS, clock);

  async function record(kind: AgentEvent['kind'], agent: string, more: Partial<AgentEvent>): Promise<void> {
    const at = clock();
    await audit.append({ ...more, kind, agent, id: sortableId(at), at });
  }

  /** One answer for unknown, used and expired tokens, so that nobody learns which agents exist. */
  async function refuse(agent: string, caller: Caller): Promise<never> {
    deps.strangers.refused('enrollment_refused', caller.address);
    if (deps.isConfigured(agent) && mayRecord()) {
      await record('agent.enrollment_refused', agent, { personal: { address: caller.address } });
    }
    return refused();
  }

  function refused(): never {
    throw new PosternError(
      'enrollment_refused',
      'This enrollment token is not valid for this agent. Tokens work once and for one hour: ask an administrator for a new one.',
    );
  }

  return {
    /** `by` is the admin; absent when the relay itself writes the token to a file. */
    async createToken(
      agent: string,
      by?: Actor,
      scope: readonly string[] = [],
    ): Promise<{ token: string; expiresAt: number }> {
      if (!deps.isConfigured(agent))
        throw new PosternError(
          'not_found',
          `No agent is configured as ${agent}. Name it under agents in postern.yaml, and start the relay anew.`,
        );
      const token = mint.mint();
      const createdAt = clock();
      const expiresAt = createdAt + TOKEN_LIFE_MS;
      await record('agent.token_created', agent, by ?? {});
      await store.addEnrollmentToken({ hash: sha256Hex(token), agent, createdAt, expiresAt, scope }, MAX_TOKENS);
      return { token, expiresAt };
    },

    /**
     * `request` is unknown input. Rejects with `request_invalid` or `enrollment_refused`. The record is there before the
     * key: a key without a record could never be found. Should the token be used up or the database go between the two,
     * a refusal of the same key follows, or nothing; `GET /api/v1/agents` says what holds.
     */
    async enroll(request: unknown, caller: Caller) {
      const { token, name, publicKey } = parseEnrollment(request);
      const keyThumbprint = thumbprint(publicKey);
      // Guesses cost the database nothing.
      if (!mint.isOurs(token) || !isPublicKey(publicKey) || !deps.isConfigured(name)) return refuse(name, caller);
      const tokenHash = sha256Hex(token);
      const tokens = await store.listEnrollmentTokens(clock());
      if (!tokens.some(({ hash, agent }) => hash === tokenHash && agent === name)) return refuse(name, caller);
      const facts = { keyThumbprint, personal: { address: caller.address } };
      await record('agent.enrolled', name, facts);
      if (!(await store.enroll({ tokenHash, agent: name, publicKey, keyThumbprint, nowMs: clock() }))) {
        await record('agent.enrollment_refused', name, facts);
        return refused();
      }
      return {
        agent: name,
        relayKeys: { keys: keys.publicKeys.keys.map(({ kty, crv, x, kid }) => ({ kty, crv, x, kid })) },
      };
    },

    /** Withdraws the key; tunnels end within a second. False when there was nothing to revoke. */
    async revoke(agent: string, by: Actor): Promise<boolean> {
      const revoked = await store.revoke(agent, clock());
      if (revoked) await record('agent.revoked', agent, by);
      return revoked;
    },

    /** Those that can still be redeemed. The id is enough to revoke one and of no use for enrolling. */
    async listTokens() {
      const tokens = await store.listEnrollmentTokens(clock());
      return tokens.map(({ hash, ...token }) => ({ ...token, id: hash.slice(0, TOKEN_ID_LENGTH) }));
    },

    /** False when there is no such token any more. */
    async revokeToken(id: string, by: Actor): Promise<boolean> {
      const tokens = await store.listEnrollmentTokens(clock());
      const found = tokens.find(({ hash }) => id.length === TOKEN_ID_LENGTH && hash.startsWith(id));
      if (!found || !(await store.revokeEnrollmentToken(found.hash))) return false;
      await record('agent.token_revoked', found.agent, by);
      return true;
    },

    /** No new streams for the agent, on any relay, or again. False when it never enrolled. */
    async drain(agent: string, drained: boolean, by: Actor): Promise<boolean> {
      const found = await store.drain(agent, drained ? clock() : undefined);
      if (found) await record(drained ? 'agent.drained' : 'agent.resumed', agent, by);
      return found;
    },

    list(): Promise<readonly StoredAgent[]> {
      return store.list();
    },
  };
}

const parseEnrollment = parser(
  Type.Object({
    token: Type.String({ minLength: 1, maxLength: 200 }),
    name: Type.String({ minLength: 1, maxLength: 63 }),
    publicKey: Type.Object({
      kty: Type.Literal('OKP'),
      crv: Type.Literal('Ed25519'),
      x: Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' }),
    }),
  }),
  'The enrollment',
  'request_invalid',
);

function isPublicKey(jwk: Parameters<typeof publicKeyFromJwk>[0]): boolean {
  try {
    return publicKeyFromJwk(jwk).asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
}
