import type { PersonalBlock } from './audit-event/event-base.ts';
import type { AuditEvent } from './audit-event.ts';

/** What a search asks for. Alternatives within a field; every field and word must match. */
export interface AuditFilter {
  readonly fields: Readonly<Partial<Record<AuditField, readonly string[]>>>;
  /** Anywhere in the record or its personal block, upper or lower case. */
  readonly words: readonly string[];
  /** Epoch ms: at or after, and before. */
  readonly since?: number;
  readonly until?: number;
}

/** `who` is an e-mail, a subject, a name or a principal id; `path` and `destination` are beginnings. */
export const AUDIT_FIELDS = [
  'who',
  'kind',
  'resource',
  'effect',
  'session',
  'id',
  'host',
  'destination',
  'path',
  'method',
  'rule',
  'agent',
  'address',
  'end',
] as const;
export type AuditField = (typeof AUDIT_FIELDS)[number];

type WithoutPersonal<Event> = Event extends unknown ? Omit<Event, 'personal'> : never;

/** A record as stored, without its personal block, of which it holds the hash. */
export type AuditLeaf = WithoutPersonal<AuditEvent> & {
  readonly v: 1;
  readonly log: string;
  readonly index: number;
  readonly personal?: string;
};

export interface AuditEntry {
  readonly leaf: AuditLeaf;
  /** Hex. */
  readonly leafHash: string;
  /** Absent when there is none or it was erased. */
  readonly personal?: PersonalBlock;
  /** What the decision relied on, e.g. the groups as they were. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Of an intent, once it has ended. */
  readonly outcome?: Extract<AuditLeaf, { kind: 'access.outcome' }>;
}

/** Newest first. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Where to go on; absent when everything was looked through. A page may be short, or empty, and still have it. */
  readonly next?: string;
}
