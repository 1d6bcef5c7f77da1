import type { TerminationReason } from './change.ts';
import type { Reason } from './decision.ts';
import type { LeaseEnd } from './lease.ts';

/** Fields of a record that identify a person. They and a salt stand beside the leaf, which holds only their hash; erasable. */
export interface PersonalBlock {
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly address?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly path?: string | undefined;
  /** As recorded: values only where the resource asks, otherwise `name=~<keyed hash>`. */
  readonly query?: string | undefined;
  /** Words that a person gave for what they did; they may name people. */
  readonly note?: string | undefined;
}

interface EventBase {
  /** UUIDv7; what people quote as the reference id. */
  readonly id: string;
  /** Epoch ms. */
  readonly at: number;
  /** Principal id (a pseudonym), where there is one. */
  readonly principal?: string | undefined;
  readonly session?: string | undefined;
  /** Hex hash of the stored facts that the decision used. */
  readonly facts?: string | undefined;
  readonly personal?: PersonalBlock | undefined;
}

/** Who did it, in each record of what a person does at the relay itself. */
export type Actor = Required<Pick<EventBase, 'principal' | 'session' | 'facts' | 'personal'>>;

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

/** Before the port is told. Of the decision as in an intent; a denied lease is an intent with effect deny. */
export interface LeaseOpened extends EventBase {
  readonly kind: 'lease.opened';
  readonly resource: string;
  readonly port: number;
  /** How many it takes. */
  readonly connections: number;
  /** Until then they may begin, epoch ms. */
  readonly expiresAt: number;
  readonly rule?: string | undefined;
  readonly policyVersion: string;
}

/** It takes no more connections, and none is open any more. Of its holder, whoever ended it. */
export interface LeaseEnded extends EventBase {
  readonly kind: 'lease.ended';
  /** Id of its `lease.opened`. */
  readonly lease: string;
  readonly resource: string;
  readonly reason: LeaseEnd;
  /** Connections that it took. */
  readonly begun: number;
  /** Principal id of who ended it, when it was not the holder. */
  readonly by?: string | undefined;
}

export interface SignIn extends EventBase {
  readonly kind: 'sign_in.completed';
  /** `local`: by a link made on the relay's machine. */
  readonly method: 'oidc' | 'local';
  readonly amr: readonly string[];
}

export interface SignInFailed extends EventBase {
  readonly kind: 'sign_in.failed';
  readonly reason: string;
}

export interface SessionEnded extends EventBase {
  readonly kind: 'session.ended';
  readonly reason: TerminationReason;
  /** Principal id of the admin who did it, when it was not the person. */
  readonly by?: string;
}

export interface TokenIssued extends EventBase {
  readonly kind: 'token.issued';
  readonly audience: string;
  readonly expiresAt: number;
  /** How a command line got it: a redirect to its own machine, a code that the person typed, or through another token. `note` of the personal block is the machine. */
  readonly via?: 'loopback' | 'device' | 'token';
}

/** A command line signed out: its token and those that were issued through it are over, the session goes on. */
export interface TokenRevoked extends EventBase {
  readonly kind: 'token.revoked';
  readonly audience: string;
}

export interface AgentEvent extends EventBase {
  readonly kind:
    | 'agent.token_created'
    | 'agent.enrolled'
    | 'agent.enrollment_refused'
    | 'agent.connected'
    | 'agent.disconnected'
    | 'agent.refused'
    | 'agent.revoked'
    | 'agent.token_revoked'
    | 'agent.drained'
    | 'agent.resumed'
    /** A resource that the relay's file does not know; `reason` names it and its host. */
    | 'agent.announced'
    | 'agent.announcement_refused';
  readonly agent: string;
  readonly tunnel?: string;
  readonly reason?: string;
  readonly keyThumbprint?: string;
}

/** Programs with an identity of their own. `note` of the personal block: owner and description, or the token's label. */
export interface ServiceEvent extends EventBase {
  readonly kind:
    | 'service.created'
    | 'service.disabled'
    | 'service.enabled'
    | 'service.token_issued'
    | 'service.token_rotated'
    | 'service.token_revoked';
  readonly service: string;
  /** Id of the token: the session of its requests. */
  readonly token?: string;
  /** Names of the resources that it reaches. */
  readonly scope?: readonly string[];
  readonly expiresAt?: number;
  /** Id of the token in whose place it comes, and when that one ends. */
  readonly replaces?: string;
  readonly replacedEndsAt?: number;
}

/** Each load of configuration or policy, with its hash and what changed; a refused one says why and changes nothing. */
export interface Loaded extends EventBase {
  readonly kind: 'configuration.loaded' | 'configuration.refused' | 'policy.loaded' | 'policy.refused';
  readonly hash: string;
  readonly previousHash?: string;
  /** One line per change: `+ rule x`, `- resource y`, `~ rule z`; for a refusal, the errors. */
  readonly difference: readonly string[];
}

/** The first record of each log, and one for each start of the relay after that. */
export interface LogOpened extends EventBase {
  readonly kind: 'log.opened';
  readonly relay: string;
  readonly epoch: number;
  /** Other logs known in this database: id and size. */
  readonly logs: readonly { readonly log: string; readonly size: number }[];
}

export interface LogRead extends EventBase {
  readonly kind: 'log.read';
  readonly query: string;
  readonly results: number;
}

/** Refusals of people and machines without a principal, summed per network (/24, /48) and reason. */
export interface StrangersRefused extends EventBase {
  readonly kind: 'strangers.refused';
  readonly reason: string;
  readonly count: number;
  readonly since: number;
}

/** Requests of one signed-in principal beyond the rate, answered with 429 and summed. */
export interface AccessThrottled extends EventBase {
  readonly kind: 'access.throttled';
  readonly count: number;
  readonly since: number;
}

export type AuditEvent =
  | AccessThrottled
  | AccessIntent
  | AccessOutcome
  | AccessTerminated
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
  | LogRead
  | StrangersRefused;

/** Where an appended event stands. */
export interface Recorded {
  readonly id: string;
  readonly log: string;
  readonly index: number;
  /** Hex RFC 6962 leaf hash. */
  readonly leafHash: string;
}

/** The one way to write to the audit log. Resolves when durable; rejects with `audit_unavailable` within the bound. */
export interface AuditAppender {
  append(event: AuditEvent): Promise<Recorded>;
}
