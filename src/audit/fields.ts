import type { AccessIntent, AccessOutcome } from '../domain/audit-event.ts';

/** Fields of a leaf that do not come from the event. */
export interface LeafFrame {
  readonly v: 1;
  readonly log: string;
  readonly index: number;
  /** Hex SHA-256(salt ‖ personal block), in place of the block. */
  readonly personal?: string;
}

type Fields<Event> = readonly (keyof Event | keyof LeafFrame)[];

/** The leaf of each request's two records, in canonical order, so that one native call encodes it. SPEC.md lists all kinds. */
export const INTENT_FIELDS = [
  'access',
  'agent',
  'at',
  'effect',
  'facts',
  'host',
  'id',
  'index',
  'kind',
  'log',
  'method',
  'ordinal',
  'personal',
  'policyVersion',
  'principal',
  'reasons',
  'resource',
  'rule',
  'session',
  'stream',
  'tunnel',
  'v',
  'via',
] as const satisfies Fields<AccessIntent>;

export const OUTCOME_FIELDS = [
  'at',
  'bytesDown',
  'bytesUp',
  'durationMs',
  'end',
  'facts',
  'id',
  'index',
  'intent',
  'kind',
  'log',
  'personal',
  'principal',
  'reason',
  'resource',
  'retriedOn',
  'session',
  'status',
  'v',
] as const satisfies Fields<AccessOutcome>;

/** Fails to compile when a field of the event is missing above. */
export type AllFields = [
  Exclude<keyof AccessIntent, (typeof INTENT_FIELDS)[number]>,
  Exclude<keyof AccessOutcome, (typeof OUTCOME_FIELDS)[number]>,
] extends [never, never]
  ? true
  : never;
export const allFields: AllFields = true;
