import type { Actor } from '../domain/audit-event/event-base.ts';
import type { ServiceEvent } from '../domain/audit-event/service.ts';
import type { AuditAppender } from '../domain/audit-event.ts';
import { serviceKey } from '../domain/principal.ts';
import type { ReplacedToken, StoredService } from '../domain/stored/service.ts';
import { sha256Hex } from '../lib/bytes.ts';
import type { Clock } from '../lib/clock.ts';
import { PosternError } from '../lib/errors.ts';
import { sortableId } from '../lib/id.ts';
import { factsOf } from './facts.ts';
import type { Mint } from './keys/mint.ts';
import type { PrincipalStore, RecordFacts } from './ports.ts';
import type { ServiceStore } from './service-store.ts';
import { type Sessions, TOKEN_PREFIX } from './sessions.ts';

export interface ServiceDeps {
  readonly store: ServiceStore;
  readonly principals: PrincipalStore;
  readonly sessions: Pick<Sessions, 'end' | 'forgetPrincipal'>;
  readonly mint: Mint;
  readonly recordFacts: RecordFacts;
  readonly audit: AuditAppender;
  readonly clock: Clock;
}

export interface ServiceTokenRequest {
  readonly label: string | undefined;
  /** Names of resources. */
  readonly scope: readonly string[];
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface IssuedServiceToken {
  readonly id: string;
  /** `pst_…`; only its hash is kept. */
  readonly token: string;
  readonly expiresAt: number;
}

const DAY_MS = 24 * 3_600_000;
/** A year from today, whichever way one counts it. */
const MAX_LIFE_MS = 366 * DAY_MS;
const MAX_SERVICES = 1_000;
/** Live tokens of one service: beyond it one has to be revoked first. */
const MAX_TOKENS = 20;
/** Where the old token goes on beside the new one. */
const DEFAULT_GRACE_MS = DAY_MS;
const UNUSED_AFTER_MS = 30 * DAY_MS;

export type Services = ReturnType<typeof createServices>;

/** Programs with an identity of their own, and their tokens. Everything about them is on record with who did it. */
export function createServices(deps: ServiceDeps) {
  const { store, principals, sessions, mint, recordFacts, audit, clock } = deps;

  async function record(kind: ServiceEvent['kind'], service: string, by: Actor, more: Partial<ServiceEvent> = {}) {
    const at = clock();
    await audit.append({ ...more, ...by, kind, service, id: sortableId(at), at });
  }

  async function findEnabled(name: string): Promise<StoredService> {
    const service = await store.find(name);
    if (!service) return unknown(name);
    if (service.disabledAt !== undefined) throw new PosternError('request_invalid', disabledText(name));
    return service;
  }

  /** The record is there before the token: a token without one could never be found. */
  async function issue(
    service: StoredService,
    { label, scope, expiresAt }: ServiceTokenRequest,
    by: Actor,
    replaces?: ReplacedToken,
  ): Promise<IssuedServiceToken> {
    const { name, principal } = service;
    const createdAt = clock();
    if (expiresAt <= createdAt || expiresAt > createdAt + MAX_LIFE_MS) {
      throw new PosternError('request_invalid', 'A service token ends within a year, and not in the past.');
    }
    const token = TOKEN_PREFIX + mint.mint();
    const id = sortableId(createdAt);
    const factsHash = await recordFacts(factsOf(principal, { signedInAt: createdAt, amr: [], scope }));
    const noted = label === undefined ? by : { ...by, personal: { ...by.personal, note: label } };
    const facts = { token: id, scope, expiresAt };
    if (replaces) {
      const { id: old, endsAt } = replaces;
      await record('service.token_rotated', name, noted, { ...facts, replaces: old, replacedEndsAt: endsAt });
    } else await record('service.token_issued', name, noted, facts);
    const added = await store.addToken(
      {
        id,
        service: name,
        hash: sha256Hex(token),
        label,
        scope,
        factsHash,
        principalEpoch: principal.epoch,
        createdAt,
        expiresAt,
      },
      replaces,
      MAX_TOKENS,
    );
    if (added === 'gone') throw new PosternError('request_invalid', `${name} or its token was just withdrawn.`);
    if (added === 'full') {
      throw new PosternError('limit_reached', `${name} has ${MAX_TOKENS} live tokens. Revoke one first.`);
    }
    if (replaces) sessions.forgetPrincipal(principal.id);
    return { id, token, expiresAt };
  }

  return {
    async create(name: string, owner: string, description: string | undefined, by: Actor): Promise<void> {
      if (await store.find(name)) throw new PosternError('request_invalid', takenText(name));
      const createdAt = clock();
      const note = description === undefined ? owner : `${owner}: ${description}`;
      await record('service.created', name, { ...by, personal: { ...by.personal, note } });
      const key = serviceKey(name);
      const profile = { kind: 'service', ...key, email: undefined, name: key.subject, groups: [] } as const;
      const principal = await principals.recordSignIn(profile, crypto.randomUUID(), createdAt);
      const created = await store.create(
        { name, principal: principal.id, description, owner, createdAt },
        MAX_SERVICES,
      );
      if (created === 'taken') throw new PosternError('request_invalid', takenText(name));
      if (created === 'full') {
        throw new PosternError('limit_reached', `There are ${MAX_SERVICES} services, and no more can be made.`);
      }
    },

    /** By name, with their live tokens. */
    async list(limit: number, after?: string) {
      const now = clock();
      const found = await store.list(now, limit, after);
      return found.map((service) => ({
        ...service,
        tokens: service.tokens.map((token) => ({
          ...token,
          /** For 30 days, or never. */
          unused: token.lastUsedAt === undefined || now - token.lastUsedAt > UNUSED_AFTER_MS,
        })),
      }));
    },

    /** All its tokens end, and it gets no more until it is enabled again. */
    async disable(name: string, by: Actor): Promise<void> {
      const service = (await store.find(name)) ?? unknown(name);
      await store.disable(name, clock());
      await sessions.end({ principal: service.principal.id }, 'principal_disabled', by.principal);
      await record('service.disabled', name, by);
    },

    async enable(name: string, by: Actor): Promise<void> {
      await record('service.enabled', (await store.find(name))?.name ?? unknown(name), by);
      await store.disable(name, undefined);
    },

    async issueToken(name: string, request: ServiceTokenRequest, by: Actor): Promise<IssuedServiceToken> {
      return issue(await findEnabled(name), request, by);
    },

    /** A new token of the same scope; the old one goes on for a while. `expiresAt`: default is as long as the old one had. */
    async rotateToken(
      name: string,
      id: string,
      by: Actor,
      { graceMs = DEFAULT_GRACE_MS, expiresAt }: { readonly graceMs?: number; readonly expiresAt?: number } = {},
    ): Promise<IssuedServiceToken & { readonly oldEndsAt: number }> {
      const service = await findEnabled(name);
      const now = clock();
      const old = (await store.findToken(name, id, now)) ?? unknownToken(name, id);
      const endsAt = Math.min(old.expiresAt, now + graceMs);
      const request = { ...old, expiresAt: expiresAt ?? now + old.expiresAt - old.createdAt };
      return { ...(await issue(service, request, by, { id, endsAt })), oldEndsAt: endsAt };
    },

    /** What it has open is cut within a second. */
    async revokeToken(name: string, id: string, by: Actor): Promise<void> {
      if (!(await store.findToken(name, id, clock()))) unknownToken(name, id);
      await sessions.end({ id }, 'session_revoked', by.principal);
      await record('service.token_revoked', name, by, { token: id });
    },
  };
}

function unknown(name: string): never {
  throw new PosternError('not_found', `There is no service ${name}. See: postern services ls`);
}

function unknownToken(name: string, id: string): never {
  throw new PosternError('not_found', `The service ${name} has no token ${id}, or it has ended.`);
}

const takenText = (name: string): string => `There is a service ${name} already. Names are never given twice.`;
const disabledText = (name: string): string =>
  `The service ${name} is disabled. Enable it first: postern services disable ${name} --undo`;
