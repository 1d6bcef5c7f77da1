import type { Change } from '../../domain/change.ts';
import type { DeviceCredential, IssuedCredential } from '../../domain/device-credential.ts';
import type { StoredAgent } from '../../domain/stored/agent.ts';
import { randomToken } from '../../lib/bytes.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf, PosternError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { signToken, unverifiedSubject, verifyToken } from '../../token/jwt.ts';
import { publicKeyFromJwk } from '../../token/key.ts';
import type { KeyRing } from '../keys/signing-keys.ts';
import type { AgentStore } from '../ports.ts';

export interface CredentialDeps {
  readonly store: AgentStore;
  readonly keys: KeyRing;
  /** The relay's configured origin, never Host: audience of assertions, issuer and audience of credentials. */
  readonly relayOrigin: string;
  isConfigured(agent: string): boolean;
  /** How long a credential is good for; default 10 minutes. */
  readonly lifeMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const DEFAULT_LIFE_MS = 600_000;
const ASSERTION_LIFE_SECONDS = 60;
/** Clocks of agents may differ this much from the relay's. */
const TOLERANCE_SECONDS = 60;
const MAX_JTI_LENGTH = 128;

export type Credentials = Awaited<ReturnType<typeof openCredentials>>;

/** Device credentials of agents: issued against a client assertion (RFC 7523 §3), verified and renewed at the tunnel. */
export async function openCredentials(deps: CredentialDeps) {
  const { store, keys, relayOrigin, clock, log } = deps;
  const lifeSeconds = Math.ceil((deps.lifeMs ?? DEFAULT_LIFE_MS) / 1000);
  const revoked = new Set<string>();
  const drained = new Set<string>();
  for (const agent of await store.list()) {
    if (agent.revokedAt !== undefined) revoked.add(agent.name);
    if (agent.drainedAt !== undefined) drained.add(agent.name);
  }
  /** Revocations heard of. What was read before one says nothing about after it. */
  let heard = 0;

  async function issue(agent: StoredAgent): Promise<IssuedCredential> {
    const now = clock();
    const credential = await signToken(
      keys.current,
      {
        type: 'postern-device+jwt',
        issuer: relayOrigin,
        audience: relayOrigin,
        subject: agent.name,
        lifeSeconds,
        claims: { cnf: { jkt: agent.keyThumbprint } },
      },
      randomToken(16),
      now,
    );
    return { credential, expiresAt: (Math.floor(now / 1000) + lifeSeconds) * 1000 };
  }

  async function findLive(name: string, keyThumbprint?: string): Promise<StoredAgent> {
    const before = heard;
    const agent = deps.isConfigured(name) ? await store.find(name) : undefined;
    if (agent && agent.revokedAt === undefined && heard === before) revoked.delete(name);
    if (!agent || agent.revokedAt !== undefined) return refuse('It is not enrolled here, or was revoked.');
    if (keyThumbprint !== undefined && agent.keyThumbprint !== keyThumbprint) {
      return refuse('Another key was enrolled for this agent since.');
    }
    return agent;
  }

  return {
    /** For `{assertion}` of the credential route. Rejects with `credential_refused`. */
    async authenticate(assertion: string): Promise<IssuedCredential> {
      const agent = await findLive(unverifiedSubject(assertion) ?? '');
      const claims = await orRefuse(
        verifyToken(assertion, {
          type: 'postern-client-assertion+jwt',
          issuer: agent.name,
          audience: relayOrigin,
          findKey: (kid) => (kid === agent.keyThumbprint ? publicKeyFromJwk(agent.publicKey) : undefined),
          maxAgeSeconds: ASSERTION_LIFE_SECONDS,
          toleranceSeconds: TOLERANCE_SECONDS,
          nowMs: clock(),
        }),
      );
      if (
        claims.sub !== agent.name ||
        claims.exp - claims.iat > ASSERTION_LIFE_SECONDS ||
        claims.jti.length > MAX_JTI_LENGTH
      ) {
        return refuse('The assertion names another subject or lives too long.');
      }
      const forgetAt = (claims.exp + TOLERANCE_SECONDS) * 1000;
      if (!(await store.rememberAssertion(agent.name, claims.jti, forgetAt))) {
        return refuse('The assertion was used before.');
      }
      return issue(agent);
    },

    /** For the tunnel endpoint. Rejects with `credential_refused`. */
    async verify(jwt: string): Promise<DeviceCredential> {
      const claims = await orRefuse(
        verifyToken(jwt, {
          type: 'postern-device+jwt',
          issuer: relayOrigin,
          audience: relayOrigin,
          findKey: (kid) => keys.find(kid),
          maxAgeSeconds: lifeSeconds,
          toleranceSeconds: 0,
          nowMs: clock(),
        }),
      );
      const keyThumbprint = jktOf(claims['cnf']);
      if (keyThumbprint === undefined) return refuse('The credential names no key.');
      const { scope } = await findLive(claims.sub, keyThumbprint);
      return { agent: claims.sub, keyThumbprint, jti: claims.jti, expiresAt: claims.exp * 1000, scope };
    },

    /** In the tunnel, before the credential ends; the key was proven when the tunnel opened. */
    async renew(agent: string, keyThumbprint: string): Promise<IssuedCredential> {
      return issue(await findLive(agent, keyThumbprint));
    },

    /** As of the last change this relay heard of. */
    isRevoked(agent: string): boolean {
      return revoked.has(agent) || !deps.isConfigured(agent);
    },

    /** As of the last change this relay heard of. */
    isDrained(agent: string): boolean {
      return drained.has(agent);
    },

    /** Revoked at once; looked up again in case the key was only replaced. */
    onChange(change: Change): void {
      if (change.kind === 'agent_drained') {
        if (change.drained) drained.add(change.agent);
        else drained.delete(change.agent);
      }
      if (change.kind !== 'agent_revoked') return;
      heard += 1;
      revoked.add(change.agent);
      findLive(change.agent).catch((error: unknown) => {
        log.info({ agent: change.agent, reason: messageOf(error) }, 'agent is revoked');
      });
    },
  };
}

function refuse(why: string): never {
  throw new PosternError('credential_refused', `The relay does not accept this agent. ${why}`);
}

async function orRefuse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new PosternError('credential_refused', `The relay does not accept this agent. ${messageOf(cause)}`, {
      cause,
    });
  }
}

function jktOf(cnf: unknown): string | undefined {
  if (typeof cnf !== 'object' || cnf === null || !('jkt' in cnf)) return undefined;
  return typeof cnf.jkt === 'string' ? cnf.jkt : undefined;
}
