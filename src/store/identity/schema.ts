import { bigint, boolean, customType, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { PublicJwk } from '../../domain/public-jwk.ts';

/** Mirrors migrations/0002_identity.sql and those after it, where the columns are explained. */

/** bytea on the wire, hex here. */
const hash = customType<{ data: string; driverData: Buffer }>({
  dataType: () => 'bytea',
  toDriver: (hex) => Buffer.from(hex, 'hex'),
  fromDriver: (bytes) => bytes.toString('hex'),
});
const at = (name: string) => bigint(name, { mode: 'number' });

export const principal = pgTable('principal', {
  id: uuid().primaryKey(),
  kind: text().$type<'person' | 'service'>().notNull(),
  issuer: text().notNull(),
  subject: text().notNull(),
  email: text(),
  name: text(),
  groups: jsonb().$type<string[]>().notNull(),
  epoch: integer().notNull(),
  firstSignInAt: at('first_sign_in_at').notNull(),
  lastSignInAt: at('last_sign_in_at').notNull(),
});

export const boundEmail = pgTable('bound_email', {
  email: text().primaryKey(),
  principal: uuid().notNull(),
  boundAt: at('bound_at').notNull(),
});

export const session = pgTable('session', {
  id: uuid().primaryKey(),
  principal: uuid().notNull(),
  browser: text().notNull(),
  factsHash: text('facts_hash').notNull(),
  factsEpoch: integer('facts_epoch').notNull(),
  signedInAt: at('signed_in_at').notNull(),
  amr: jsonb().$type<string[]>().notNull(),
  expiresAt: at('expires_at').notNull(),
  lastSeenAt: at('last_seen_at').notNull(),
  logoutHint: text('logout_hint'),
  endedAt: at('ended_at'),
  endReason: text('end_reason'),
  unattended: boolean().notNull().default(false),
  scope: jsonb().$type<string[]>(),
});

export const service = pgTable('service', {
  name: text().primaryKey(),
  principal: uuid().notNull().unique(),
  description: text(),
  owner: text().notNull(),
  createdAt: at('created_at').notNull(),
  disabledAt: at('disabled_at'),
});

export const sessionCredential = pgTable('session_credential', {
  hash: hash().primaryKey(),
  session: uuid().notNull(),
  kind: text().$type<'cookie' | 'token'>().notNull(),
  audience: text().notNull(),
  label: text(),
  createdAt: at('created_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  parent: hash(),
});

export const deviceCode = pgTable('device_code', {
  hash: hash().primaryKey(),
  userCode: hash('user_code').notNull().unique(),
  machine: text().notNull(),
  address: text().notNull(),
  network: text().notNull(),
  askedAt: at('asked_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  intervalMs: integer('interval_ms').notNull(),
  polledAt: at('polled_at'),
  refusedAt: at('refused_at'),
  session: uuid(),
});

export const sessionCode = pgTable('session_code', {
  hash: hash().primaryKey(),
  session: uuid().notNull(),
  kind: text().$type<'hand_off' | 'command_line'>().notNull(),
  audience: text().notNull(),
  challenge: text().notNull(),
  label: text(),
  expiresAt: at('expires_at').notNull(),
});

export const agent = pgTable('agent', {
  name: text().primaryKey(),
  publicKey: jsonb('public_key').$type<PublicJwk>().notNull(),
  keyThumbprint: text('key_thumbprint').notNull(),
  enrolledAt: at('enrolled_at').notNull(),
  revokedAt: at('revoked_at'),
  scope: jsonb().$type<string[]>().notNull().default([]),
  drainedAt: at('drained_at'),
});

export const enrollmentToken = pgTable('enrollment_token', {
  hash: hash().primaryKey(),
  agent: text().notNull(),
  createdAt: at('created_at').notNull(),
  expiresAt: at('expires_at').notNull(),
  scope: jsonb().$type<string[]>().notNull().default([]),
});

export const clientAssertion = pgTable(
  'client_assertion',
  { agent: text().notNull(), jti: text().notNull(), expiresAt: at('expires_at').notNull() },
  (table) => [primaryKey({ columns: [table.agent, table.jti] })],
);

export const signingKey = pgTable('signing_key', {
  kid: text().primaryKey(),
  sealed: text().notNull(),
  ordinal: integer().notNull().unique(),
  createdAt: at('created_at').notNull(),
});
