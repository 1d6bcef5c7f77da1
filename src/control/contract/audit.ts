import { type Static, Type } from 'typebox';
import type { AuditEvent } from '../../domain/audit-event.ts';
import { Nullable, Whole } from './parts.ts';

/** GET /api/v1/audit. `before` is `next` of the page before. */
export const AuditQuery = Type.Object(
  {
    query: Type.Optional(Type.String({ maxLength: 1000 })),
    before: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
  },
  { additionalProperties: false },
);
export type AuditQuery = Static<typeof AuditQuery>;

export const AuditRow = Type.Object({
  id: Type.String({ description: 'The reference id.' }),
  at: Type.Integer(),
  kind: Type.Unsafe<AuditEvent['kind']>(Type.String()),
  person: Type.Union([
    Type.Object({
      name: Nullable(Type.String()),
      email: Nullable(Type.String()),
    }),
    Type.Null(),
  ]),
  actor: Type.String({ description: 'Who acted where it was no person: `agent office`, `strangers`, `relay`.' }),
  summary: Type.String({ description: 'One line about what happened, for people.' }),
  resource: Nullable(Type.String()),
  method: Nullable(Type.String()),
  path: Nullable(
    Type.String(),
    'Of a request: path and query as recorded; null for everything else, and where it was erased.',
  ),
  destination: Nullable(
    Type.String(),
    'Of a connection into a network: what was asked for, and `at` with the address that it led to.',
  ),
  effect: Type.Union([Type.Literal('allow'), Type.Literal('deny'), Type.Null()]),
  end: Nullable(Type.String(), 'How an allowed access ended; null while it runs, or for ever when its end is unknown.'),
  status: Nullable(Whole),
  durationMs: Nullable(Type.Number()),
});
export type AuditRow = Static<typeof AuditRow>;

export const AuditPage = Type.Object({
  rows: Type.Array(AuditRow),
  next: Nullable(Type.String()),
});
export type AuditPage = Static<typeof AuditPage>;

/** GET /api/v1/audit/:id */
export const AuditEntryParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 100 }) });

const Outcome = Type.Unsafe<Extract<AuditEvent, { kind: 'access.outcome' }>>(
  Type.Object({ id: Type.String() }, { additionalProperties: true }),
);
const Event = Type.Unsafe<Exclude<AuditEvent, { kind: 'access.outcome' }>>(
  Type.Object({ id: Type.String(), kind: Type.String() }, { additionalProperties: true }),
);
export const AuditEntry = Type.Object({
  row: AuditRow,
  event: Event,
  outcome: Nullable(Outcome),
  facts: Type.Union([
    Type.Unsafe<Record<string, unknown>>(Type.Object({}, { additionalProperties: true })),
    Type.Null(),
  ]),
  recorded: Type.Object({ log: Type.String(), index: Type.Integer(), leafHash: Type.String() }),
});
export type AuditEntry = Static<typeof AuditEntry>;

/** GET /api/v1/audit/entries: a page with every field of each record, for programs. Same query as `/api/v1/audit`. */
export const AuditEntryPage = Type.Object({
  entries: Type.Array(AuditEntry),
  next: Nullable(Type.String()),
});
export type AuditEntryPage = Static<typeof AuditEntryPage>;
