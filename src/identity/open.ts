import type { AuditAppender } from '../domain/audit-event.ts';
import type { Change } from '../domain/change.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { SparingLog } from '../lib/sparing-log.ts';
import { pause } from '../lib/wait.ts';
import { openCredentials } from './agents/credentials.ts';
import { createEnrollment } from './agents/enrollment.ts';
import { writeEnrollmentTokenFile } from './agents/enrollment-file.ts';
import type { DeviceCodeStore } from './device-code-store.ts';
import { createDeviceCodes } from './device-codes.ts';
import { createAssertionIssuer, createReceiptIssuer } from './issuers.ts';
import { loadDataKey } from './keys/data-key.ts';
import { createKeyedHash } from './keys/keyed-hash.ts';
import { createMint } from './keys/mint.ts';
import { createSeal } from './keys/seal.ts';
import { loadKeyRing } from './keys/signing-keys.ts';
import type {
  AgentStore,
  CodeStore,
  ExpiryStore,
  PrincipalStore,
  RecordFacts,
  SessionStore,
  SigningKeyStore,
  Strangers,
} from './ports.ts';
import { createProvider, type ProviderOptions } from './provider/provider.ts';
import type { ServiceStore } from './service-store.ts';
import { createServices } from './services.ts';
import { type SessionLimits, Sessions } from './sessions.ts';
import { createAdminLinks } from './sign-in/admin-links.ts';
import { HandOffs } from './sign-in/hand-off.ts';
import { createSessionOpener } from './sign-in/open-session.ts';
import { SignIns } from './sign-in/sign-in.ts';
import { createTokens } from './tokens.ts';

export interface IdentityOptions {
  /** Origin of the relay's own host, e.g. `https://access.example.com`. */
  readonly relayOrigin: string;
  readonly relayId: string;
  readonly dataDir: string;
  readonly provider: Omit<ProviderOptions, 'redirectUri' | 'clock'>;
  readonly limits: SessionLimits;
  /** Of device credentials; default 10 minutes. */
  readonly credentialLifeMs?: number;
  /** Asked again each time: the configuration may change. */
  readonly isConfiguredAgent: (name: string) => boolean;
}

export interface IdentityStores {
  readonly principals: PrincipalStore;
  readonly sessions: SessionStore;
  readonly services: ServiceStore;
  readonly codes: CodeStore;
  readonly deviceCodes: DeviceCodeStore;
  readonly agents: AgentStore;
  readonly signingKeys: SigningKeyStore;
  readonly expiry: ExpiryStore;
}

export interface IdentityPorts {
  readonly audit: AuditAppender;
  readonly recordFacts: RecordFacts;
  readonly strangers: Strangers;
  readonly clock: Clock;
  readonly log: Logger;
}

const SWEEP_MS = 5_000;
const DELETE_MS = 600_000;

export type IdentityParts = Awaited<ReturnType<typeof openIdentity>>;

/** Everything about who is there, ready to be wired. Reads the database; the provider only when someone signs in. */
export async function openIdentity(options: IdentityOptions, stores: IdentityStores, ports: IdentityPorts) {
  const { relayOrigin, limits, isConfiguredAgent: isConfigured } = options;
  const { audit, recordFacts, strangers, clock, log } = ports;
  const dataKey = loadDataKey(options.dataDir);
  const keys = await loadKeyRing(stores.signingKeys, createSeal(dataKey, 'signing keys'), clock);
  const mint = createMint(dataKey);
  const provider = createProvider({ ...options.provider, redirectUri: `${relayOrigin}/oidc/callback`, clock });
  const sparing = new SparingLog(log);
  const sessions = new Sessions({ store: stores.sessions, limits, mint, audit, recordFacts, clock, log: sparing });
  const shared = { codes: stores.codes, sessions: stores.sessions, mint, idleMs: limits.idleMs, relayOrigin, clock };
  const issuing = { keys, relayOrigin, clock };
  const credentials = await openCredentials({
    store: stores.agents,
    keys,
    relayOrigin,
    isConfigured,
    ...(options.credentialLifeMs === undefined ? {} : { lifeMs: options.credentialLifeMs }),
    clock,
    log,
  });
  const enrollment = createEnrollment({ store: stores.agents, keys, mint, isConfigured, audit, strangers, clock });
  const relayHost = new URL(relayOrigin).hostname;
  const openSession = createSessionOpener({ relayHost, sessions, mint, recordFacts, audit });
  const signIns = new SignIns({
    provider,
    relayHost,
    relayOrigin,
    principals: stores.principals,
    sessions,
    openSession,
    limits,
    seal: createSeal(dataKey, 'sign-in'),
    audit,
    strangers,
    clock,
  });

  const tokens = createTokens({ ...shared, audit });
  const deviceCodes = createDeviceCodes({
    store: stores.deviceCodes,
    tokens,
    mint,
    hashUserCode: createKeyedHash(dataKey, 'user codes'),
    relayOrigin,
    strangers,
    clock,
  });

  const services = createServices({
    store: stores.services,
    principals: stores.principals,
    sessions,
    mint,
    recordFacts,
    audit,
    clock,
  });

  const adminLinks = createAdminLinks({
    relayOrigin,
    relayHost,
    principals: stores.principals,
    sessions,
    openSession,
    mint,
    audit,
    strangers,
    clock,
  });

  return {
    keys,
    sessions,
    adminLinks,
    signIns,
    handOffs: new HandOffs(shared),
    tokens,
    deviceCodes,
    services,
    enrollment,
    credentials,
    assertions: createAssertionIssuer(issuing),
    receipts: createReceiptIssuer(issuing, options.relayId),

    /** Every change of the feed, before anyone else acts on it. */
    onChange(change: Change): void {
      sessions.onChange(change);
      credentials.onChange(change);
    },

    /**
     * Writes a fresh single-use token where the configuration asks for it, unless the agent enrolled before: one that
     * was revoked comes back only by an admin's token. True when written.
     */
    async offerEnrollment(agent: string, file: string): Promise<boolean> {
      if (await stores.agents.find(agent)) return false;
      await writeEnrollmentTokenFile(file, (await enrollment.createToken(agent)).token);
      return true;
    },

    /** Ends expired sessions and deletes what is of no more use, until aborted. */
    async sweepUntil(signal: AbortSignal): Promise<void> {
      let deletedAt = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        try {
          await sessions.sweep();
          if (clock() - deletedAt >= DELETE_MS) {
            deletedAt = clock();
            await stores.expiry.deleteExpired(deletedAt);
          }
        } catch (error) {
          log.warn({ error: messageOf(error) }, 'could not end expired sessions');
        }
        await pause(SWEEP_MS, signal);
      }
    },
  };
}
