import type { AgentEvent } from './audit-event/agent.ts';
import type { EventBase } from './audit-event/event-base.ts';
import type { LeaseEnded, LeaseOpened } from './audit-event/lease.ts';
import type { Loaded } from './audit-event/loaded.ts';
import type { LogOpened, LogRead } from './audit-event/log.ts';
import type { ServiceEvent } from './audit-event/service.ts';
import type { SessionEnded, SignIn, SignInFailed } from './audit-event/sign-in.ts';
import type { AccessThrottled, StrangersRefused } from './audit-event/summed.ts';
import type { TokenIssued, TokenRevoked } from './audit-event/token.ts';
import type { TerminationReason } from './change.ts';
import type { Reason } from './decision.ts';

/** What the audit log may say, one closed union. Here the records of an access; each other subject has a file in `audit-event/`. */
export type AuditEvent =
  | AccessIntent
  | AccessOutcome
  | AccessTerminated
  | AccessThrottled
  | StrangersRefused
  | LeaseOpened
  | LeaseEnded
  | SignIn
  | SignInFailed
  | SessionEnded
  | TokenIssued
  | TokenRevoked
  | AgentEvent
  | ServiceEvent
  | Loaded
  | LogOpened
  | LogRead;

/** The one way to write to the audit log. Resolves when durable; rejects with `audit_unavailable` within the bound. */
export interface AuditAppender {
  append(event: AuditEvent): Promise<Recorded>;
}

/** Where an appended event stands. */
export interface Recorded {
  readonly id: string;
  readonly log: string;
  readonly index: number;
  /** Hex RFC 6962 leaf hash. */
  readonly leafHash: string;
}

/** Before the first byte goes down the tunnel, or before a signed-in person is denied. A deny has no outcome. */
export interface AccessIntent extends EventBase {
  readonly kind: 'access.intent';
  readonly access: 'http' | 'websocket' | 'tcp';
  /** Address: identified by nothing else, at a leased port. Anonymous: no principal and no session, by a rule for `anyone`. */
  readonly via: 'cookie' | 'token' | 'address' | 'anonymous';
  readonly resource: string;
  /** For tcp `CONNECT`, or `LEASE` at a leased port. */
  readonly method: string;
  /** As received; for tcp the name of the resource; through a network the name or address and the port that were asked for. */
  readonly host: string;
  /** Address and port that the agent dials, of a connection through a network; absent while the name is not resolved. */
  readonly destination?: string | undefined;
  /** Host that the target gets, where the resource sets its own. */
  readonly targetHost?: string | undefined;
  readonly effect: 'allow' | 'deny';
  readonly rule?: string | undefined;
  readonly reasons: readonly Reason[];
  readonly policyVersion: string;
  /** Where it will go; absent on a deny. */
  readonly agent?: string | undefined;
  readonly tunnel?: string | undefined;
  readonly stream?: string | undefined;
  /** 1 for the request that opens the stream, 2 for the next one on it, … */
  readonly ordinal?: number | undefined;
}

export type AccessEnd =
  | 'completed'
  | 'client_closed'
  | 'target_closed'
  | 'target_unreachable'
  | 'timed_out'
  | 'not_forwarded'
  | 'body_too_large'
  | 'revoked_before_forward'
  | 'terminated'
  | 'failed';

export interface AccessOutcome extends EventBase {
  readonly kind: 'access.outcome';
  readonly intent: string;
  readonly resource: string;
  readonly end: AccessEnd;
  /** Present when end is `terminated`. */
  readonly reason?: TerminationReason | undefined;
  /** Status that the client got from the target; absent when there was none. */
  readonly status?: number | undefined;
  /** Body bytes from client to target, and from target to client. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly durationMs: number;
  /** Name of the fresh stream, when the stream of the intent turned out to be closed and the request was sent again. */
  readonly retriedOn?: string | undefined;
  /** Of that stream, where it is another than the intent's. */
  readonly agent?: string | undefined;
}

/** Somebody cut one live access; its outcome says `access_terminated`. Why is the `note` of the personal block. */
export interface AccessTerminated extends EventBase {
  readonly kind: 'access.terminated';
  readonly intent: string;
  readonly resource: string;
}
