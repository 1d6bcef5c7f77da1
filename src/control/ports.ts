import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditAppender, AuditEvent, Recorded } from '../domain/audit-event.ts';
import type { LiveAccess } from '../domain/live.ts';
import type { Role } from '../domain/principal.ts';
import type { Session } from '../domain/session.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { RuleSet } from '../policy/rule.ts';

/** Everything the control plane's host asks of the rest of the relay. The composition root fills it in. */
export interface ControlDeps {
  /** Origin of the relay's own host, e.g. `https://access.example.com`. */
  readonly origin: string;
  /** Whom people ask for access; shown where they have none. */
  readonly contact: string | undefined;
  /** Directory of the built console (holds `index.html` and `assets/`). */
  readonly consoleDirectory: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly people: PersonReader;
  /** The snapshot in force. */
  snapshot(): Snapshot;
  readonly audit: AuditAppender;
  readonly auditLog: AuditLogReader;
  readonly policy: PolicyReader;
  readonly configuration: ConfigurationView;
  readonly live: LiveAccesses;
  /** Routes of other parts (sign-in, agents, command line). Each of their routes declares its permission. */
  readonly plugins: readonly ControlPlugin[];
  /** Requests per minute and address; default `REQUESTS_PER_MINUTE`. */
  readonly requestsPerMinute?: number;
}

export type ControlPlugin = (app: FastifyInstance) => Promise<void>;

/** Who sends a request, and what they may do at the relay itself. */
export interface Person {
  readonly session: Session;
  readonly roles: readonly Role[];
  /** Hex SHA-256 of the token by which they ask; undefined: by the cookie of a browser. */
  readonly token?: string | undefined;
}

export interface PersonReader {
  /** By session cookie or token; undefined for strangers. Rejects with `unauthenticated` or `database_unavailable`. */
  readPerson(request: FastifyRequest): Promise<Person | undefined>;
}

/** The policy of this relay, as its files and its log say. */
export interface PolicyReader {
  current(): PolicyView;
}

export interface PolicyView {
  readonly version: string;
  readonly loadedAt: number;
  readonly ruleSet: RuleSet;
  readonly warnings: readonly string[];
  /** Set while the files hold something that cannot be used. */
  readonly refusal: { readonly at: number; readonly hash: string; readonly problems: readonly string[] } | undefined;
}

export interface ConfigurationView {
  readonly relay: string;
  readonly hash: string;
  readonly loadedAt: number;
  /** Plain values; secrets serialise as `[secret]`. */
  readonly effective: object;
}

/** What is under way at this relay. */
export interface LiveAccesses {
  list(): readonly LiveAccess[];
  /** Cuts it in both directions, as `access_terminated`. False when it has ended. */
  terminate(intent: string): boolean;
}

/** Reading of the audit log. Newest first. */
export interface AuditLogReader {
  /**
   * Rejects with `request_invalid` when `query` is not in the search language, with a message that says where.
   * Outcomes are not rows: they come with their intent.
   */
  search(search: AuditSearch): Promise<AuditLogPage>;
  /** By reference id (an intent's or any other event's); undefined when there is none. */
  find(id: string, signal: AbortSignal): Promise<AuditLogEntry | undefined>;
  /** A signed note about the log as it is now, and the verifier of its signature. */
  checkpoint(): Promise<{ readonly checkpoint: string; readonly key: string }>;
}

export interface AuditSearch {
  /** Text in the search language; empty: everything. */
  readonly query: string;
  /** Only what is older than the row this cursor came with. */
  readonly before: string | undefined;
  /** 1 to 200. */
  readonly limit: number;
  readonly signal: AbortSignal;
}

export interface AuditLogPage {
  readonly entries: readonly AuditLogEntry[];
  /** Cursor of the next page; undefined on the last. */
  readonly next: string | undefined;
}

export interface AuditLogEntry {
  readonly event: Exclude<AuditEvent, { kind: 'access.outcome' }>;
  readonly recorded: Recorded;
  /** Absent while the access runs, and for ever when its end is unknown. */
  readonly outcome: Extract<AuditEvent, { kind: 'access.outcome' }> | undefined;
  /** The facts that the decision used, from their own store; only `find` fills them. */
  readonly facts: Readonly<Record<string, unknown>> | undefined;
}
