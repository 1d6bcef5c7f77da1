import { type Static, Type } from 'typebox';
import type { AuditEvent } from '../domain/audit-event.ts';

/** The API contract of `/api/v1`. Times are epoch milliseconds. The console imports the types. */

const RoleName = Type.Union([Type.Literal('admin'), Type.Literal('security'), Type.Literal('auditor')]);

/** GET /api/v1/me */
export const Me = Type.Object({
  person: Type.Object({
    id: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    email: Type.Union([Type.String(), Type.Null()]),
    subject: Type.String(),
  }),
  roles: Type.Array(RoleName),
  session: Type.Object({ id: Type.String(), signedInAt: Type.Integer(), expiresAt: Type.Integer() }),
  /** POST JSON here; the answer is `{location}`. */
  signOut: Type.String(),
  /** Whom to ask for access. */
  contact: Type.Union([Type.String(), Type.Null()]),
});
export type Me = Static<typeof Me>;

export const LauncherResource = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  url: Type.String(),
  tags: Type.Array(Type.String()),
});
export type LauncherResource = Static<typeof LauncherResource>;

/** GET /api/v1/resources: what the policy may let me reach, by title. */
export const ResourceList = Type.Object({ resources: Type.Array(LauncherResource) });
export type ResourceList = Static<typeof ResourceList>;

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
  /** The reference id. */
  id: Type.String(),
  at: Type.Integer(),
  kind: Type.Unsafe<AuditEvent['kind']>(Type.String()),
  person: Type.Union([
    Type.Object({
      name: Type.Union([Type.String(), Type.Null()]),
      email: Type.Union([Type.String(), Type.Null()]),
    }),
    Type.Null(),
  ]),
  /** Who acted where it was no person: `agent office`, `strangers`, `relay`. */
  actor: Type.String(),
  /** One line about what happened, for people. */
  summary: Type.String(),
  resource: Type.Union([Type.String(), Type.Null()]),
  method: Type.Union([Type.String(), Type.Null()]),
  /** Of an access: path and query as recorded; null where it was no access, or was erased. */
  path: Type.Union([Type.String(), Type.Null()]),
  effect: Type.Union([Type.Literal('allow'), Type.Literal('deny'), Type.Null()]),
  /** How an allowed access ended; null while it runs, or for ever when its end is unknown. */
  end: Type.Union([Type.String(), Type.Null()]),
  status: Type.Union([Type.Integer(), Type.Null()]),
  durationMs: Type.Union([Type.Number(), Type.Null()]),
});
export type AuditRow = Static<typeof AuditRow>;

export const AuditPage = Type.Object({
  rows: Type.Array(AuditRow),
  next: Type.Union([Type.String(), Type.Null()]),
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
  outcome: Type.Union([Outcome, Type.Null()]),
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
  next: Type.Union([Type.String(), Type.Null()]),
});
export type AuditEntryPage = Static<typeof AuditEntryPage>;
