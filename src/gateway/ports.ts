import type { Duplex } from 'node:stream';
import type { AuditAppender } from '../domain/audit-event.ts';
import type { TerminationReason } from '../domain/change.ts';
import type { LiveAccess } from '../domain/live.ts';
import type { ReceiptRequest } from '../domain/receipt.ts';
import type { Resource } from '../domain/resource.ts';
import type { Identity, Presented, Session } from '../domain/session.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Endpoint } from '../lib/network/endpoint.ts';
import type { Resolution } from '../tunnel/control-message.ts';

/** Everything the data plane asks of the rest of the relay. The composition root fills it in. */
export interface GatewayPorts {
  readonly relay: RelayFacts;
  /** The snapshot in force. Called again just before the first byte. */
  snapshot(): Snapshot;
  readonly sessions: SessionReader;
  readonly handOff: HandOff;
  readonly audit: AuditAppender;
  readonly tunnels: TunnelDirectory;
  readonly assertions: AssertionIssuer;
  readonly receipts: ReceiptIssuer;
  readonly strangers: StrangerMeter;
}

export interface RelayFacts {
  /** This relay's id, as in records and receipts. */
  readonly id: string;
  /** Origin of the relay's own host, e.g. `https://access.example.com`. */
  readonly origin: string;
  /** Whom a denied person asks when the resource names nobody. */
  readonly contact: string | undefined;
}

/** May answer from memory, but never later than 1 s after a revocation became known to this relay. */
export interface SessionReader {
  /** `cookie` is the value of the resource host's own session cookie. */
  readCookie(cookie: string, host: string): Promise<Session | undefined>;
  /** `token` starts with `pst_`; `audience` is the resource's origin. */
  readToken(token: string, audience: string): Promise<Session | undefined>;
  /** By what was presented earlier, for who is identified by address only since. */
  readPresented(presented: Presented): Promise<Session | undefined>;
  /** Synchronous look for the gap: still alive, and of the same epoch? */
  isCurrent(session: Session): boolean;
  /** False while changes may have been missed: then nobody is let in, strangers on public paths included. */
  hasAuthority(): boolean;
}

/** Sign-in of a browser on a resource host, by redirects to the relay's host and back. */
export interface HandOff {
  /** For a navigation without a session: where to go, and the flow cookie to set. */
  begin(
    host: string,
    returnPath: string,
    cookieHeader: string | undefined,
  ): Promise<{ location: string; setCookies: string[] }>;
  /** For `GET /.postern/redeem?…`: undefined when code and flow cookie do not belong together. `crossSite`: other sites may post forms with the cookie. */
  redeem(
    host: string,
    query: URLSearchParams,
    cookieHeader: string | undefined,
    crossSite: boolean,
  ): Promise<{ location: string; setCookies: string[] } | undefined>;
  /** Name of the session cookie on resource hosts; targets never see it nor flow cookies. */
  isPosternCookie(name: string): boolean;
  sessionCookie(cookieHeader: string | undefined): string | undefined;
}

export interface TunnelDirectory {
  /** A live tunnel of one of the agents that announced this resource; undefined when there is none. */
  pick(resource: Resource): AgentTunnel | undefined;
  /**
   * The network resource whose live announcement lists the destination most specifically (a name, then the longer pattern;
   * the smaller network; of equals the first by name), and a tunnel that leads there. Those of the relay's file go before
   * those that agents thought of.
   */
  findNetwork(asked: Endpoint, resources: ReadonlyMap<string, Resource>): FoundNetwork | undefined;
}

export interface FoundNetwork {
  readonly resource: Resource;
  readonly tunnel: AgentTunnel;
}

export interface AgentTunnel {
  readonly id: string;
  readonly agent: string;
  readonly closed: boolean;
  /** Fires once when the tunnel has ended. */
  readonly ended: AbortSignal;
  /** A name for a stream to come, unique in this tunnel. */
  nameStream(): string;
  /** Opens a stream to the resource's target; rejects with `target_unreachable`, `tunnel_closed` or `timeout`. */
  openStream(open: StreamOpening): Promise<Duplex>;
  /** The same, but resolves only when the agent has reached the target. */
  connectStream(open: StreamOpening): Promise<Duplex>;
  /** Where the agent would dial a name of a network resource. Never rejects, and takes a few seconds at most. */
  resolve(resource: string, asked: Endpoint, session: string): Promise<Resolved>;
}

export type Resolved = { readonly address: string } | { readonly code: Unresolved; readonly message: string };
type Unresolved = Resolution | 'tunnel_closed';

export interface StreamOpening {
  readonly resource: string;
  /** Address and port, where the resource is a network. */
  readonly destination?: string | undefined;
  readonly receipt: string;
  readonly signal: AbortSignal;
}

export interface AssertionIssuer {
  /** Short-lived signed JWT about the identity; `aud` is the resource's origin. May be reused within its life. */
  issue(identity: Identity, resource: Resource): Promise<string>;
}

export interface ReceiptIssuer {
  issue(request: ReceiptRequest): Promise<string>;
}

/** Counts refusals that have no principal. Never blocks, bounded. */
export interface StrangerMeter {
  refused(reason: string, address: string): void;
}

/** What the control plane sees of live traffic. */
export interface LiveTraffic {
  list(): readonly LiveAccess[];
  /** Cuts them in both directions; how many there were. */
  terminate(which: (access: LiveAccess) => boolean, reason: TerminationReason): number;
}
