import type { AuditLog } from '../audit/open-log.ts';
import type { RelayConfig } from '../config/relay-config.ts';
import { createPersonReader } from '../control/sign-in/person-reader.ts';
import type { SessionReader, StrangerMeter } from '../gateway/ports.ts';
import { openIdentity } from '../identity/open.ts';
import { rolesOf } from '../identity/roles.ts';
import { systemClock as clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { createAgentStore } from '../store/identity/agents.ts';
import { createCodeStore } from '../store/identity/codes.ts';
import { createDeviceCodeStore } from '../store/identity/device-codes.ts';
import { createExpiryStore } from '../store/identity/expiry.ts';
import { createPrincipalStore } from '../store/identity/principals.ts';
import { createServiceStore } from '../store/identity/services.ts';
import { createSessionStore } from '../store/identity/sessions.ts';
import { createSigningKeyStore } from '../store/identity/signing-keys.ts';
import type { Store } from '../store/open.ts';

export interface IdentitySurroundings {
  readonly config: RelayConfig;
  readonly store: Store;
  readonly audit: AuditLog;
  readonly strangers: StrangerMeter;
  readonly log: Logger;
}

/** Identity on the tables of `store`, with the agents and roles of the configuration. */
export async function assembleIdentity({ config, store, audit, strangers, log }: IdentitySurroundings) {
  const { origin: relayOrigin, host: relayHost, id: relayId } = config.relay;
  const agents = new Set(config.agents.map((agent) => agent.name));
  const identity = await openIdentity(
    {
      relayOrigin,
      relayId,
      dataDir: config.dataDir,
      provider: config.provider,
      limits: config.sessions,
      credentialLifeMs: config.relay.credentialLifeMs,
      isConfiguredAgent: (name) => agents.has(name),
    },
    {
      principals: createPrincipalStore(store),
      sessions: createSessionStore(store),
      services: createServiceStore(store),
      codes: createCodeStore(store),
      deviceCodes: createDeviceCodeStore(store),
      agents: createAgentStore(store),
      signingKeys: createSigningKeyStore(store),
      expiry: createExpiryStore(store),
    },
    { audit, recordFacts: (body) => audit.recordFacts(body), strangers, clock, log },
  );
  for (const { name, enrollmentTokenFile } of config.agents) {
    if (enrollmentTokenFile !== undefined) await identity.offerEnrollment(name, enrollmentTokenFile);
  }
  /** Who sends a request to the relay's own host, as these sessions say. */
  const readerOf = (sessions: Pick<SessionReader, 'readCookie' | 'readToken'>) =>
    createPersonReader({ sessions, relayHost, relayOrigin, roles: (principal) => rolesOf(config.roles, principal) });
  return { ...identity, readerOf };
}
