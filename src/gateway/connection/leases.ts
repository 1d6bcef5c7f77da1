import type { Change, TerminationReason } from '../../domain/change.ts';
import type { LeaseEnd, LeaseView, LeaseWish } from '../../domain/lease.ts';
import type { Session } from '../../domain/session.ts';
import { counted } from '../../lib/counted.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import type { Networks } from '../../lib/networks.ts';
import { readIdentity } from '../access/3-identify.ts';
import { personalBlock } from '../access/5-record-intent.ts';
import { OpenConnection } from '../access/open-connection.ts';
import { accessConnection } from '../access.ts';
import { AUDIT_UNAVAILABLE, LEASES_FULL, NO_LEASE_PORT, RELAY_STOPPING, refusal } from '../answer/refusal.ts';
import { REVOKED } from '../answer/terminated.ts';
import type { Door } from '../door.ts';
import { MAX_LEASES_PER_SESSION } from '../limits.ts';
import { type AllowedLease, decideLease, type LeaseRefusal, stillAllows } from './decide-lease.ts';
import { Lease } from './lease.ts';
import { LeasePorts } from './lease-ports.ts';
import { endedRecord, openedRecord } from './lease-records.ts';

export interface LeaseOptions {
  /** First and last port. */
  readonly ports: readonly [number, number];
  /** Where they listen. */
  readonly listen: string;
  /** What people are told to connect to. */
  readonly host: string;
  /** The most that one lease takes. */
  readonly connections: number;
  /** Each connection comes from one of these, with a header of the PROXY protocol. */
  readonly proxies: Networks | undefined;
}

/** Ports leased to people whose programs cannot sign in: each follows the session that leased it. */
export class Leases {
  readonly #door: Door;
  readonly #options: LeaseOptions;
  readonly #ports: LeasePorts;
  /** By id, those under way to their record included. */
  readonly #leases = new Map<string, Lease>();
  #stopping = false;

  constructor(door: Door, options: LeaseOptions) {
    const { clock, log, bounds } = door;
    this.#door = door;
    this.#options = options;
    const { ports: range, listen, proxies } = options;
    this.#ports = new LeasePorts({ listen, range, proxies, restMs: bounds.leaseRestMs, clock, log });
  }

  /** Resolves when the lease is on record. Rejects when sessions cannot be read. */
  async open(wish: LeaseWish): Promise<LeaseView | LeaseRefusal> {
    if (wish.connections > this.#options.connections) return { refusal: tooMany(this.#options.connections) };
    const allowed = await decideLease(this.#door, wish);
    if ('refusal' in allowed) return allowed;
    if (this.#stopping) return { refusal: RELAY_STOPPING };
    const { session } = allowed.identity;
    if (this.#isFull(session)) return { refusal: LEASES_FULL };
    const lease = this.#create(allowed, wish.connections);
    this.#leases.set(lease.terms.id, lease);
    const failure = await this.#begin(lease, allowed);
    const view = this.#viewOf(lease);
    return failure ?? view ?? { refusal: this.#stopping ? RELAY_STOPPING : REVOKED.refusal };
  }

  list(): readonly LeaseView[] {
    return [...this.#leases.values()].flatMap((lease) => this.#viewOf(lease) ?? []);
  }

  /** With its connections, as `lease_ended`. `by`: principal id of whoever does it for the holder. False when there is none. */
  end(id: string, by?: string): boolean {
    const lease = this.#leases.get(id);
    if (lease?.port === undefined) return false;
    lease.endedBy = by;
    this.#end(lease, 'lease_ended');
    return true;
  }

  /** Call it when the accesses were reviewed: what is left here are ports. */
  onChange(change: Change): void {
    for (const lease of this.#leases.values()) {
      const { session } = lease;
      switch (change.kind) {
        case 'session_revoked':
          if (session.id === change.session) this.#end(lease, change.reason);
          break;
        case 'principal_changed':
          if (session.principal.id === change.principal) void this.#review(lease);
          break;
        case 'snapshot_changed':
          this.#decideAgain(lease);
          break;
        case 'everything_changed':
          void this.#review(lease);
          break;
        // What they change concerns the accesses alone.
        case 'agent_revoked':
        case 'agent_drained':
      }
    }
  }

  sweep(): void {
    const now = this.#door.clock();
    for (const lease of this.#leases.values()) {
      if (lease.session.expiresAt <= now) this.#end(lease, 'session_expired');
      else if (lease.terms.expiresAt <= now) lease.takeNoMore('expired');
    }
  }

  drain(): void {
    this.#stopping = true;
    for (const lease of this.#leases.values()) lease.takeNoMore('relay_stopping');
  }

  close(): void {
    this.#stopping = true;
    for (const lease of this.#leases.values()) this.#end(lease, 'relay_stopping');
  }

  /** Whoever leases and ends again and again must leave ports to others. */
  #isFull({ id, principal }: Session): boolean {
    const theirs = [...this.#leases.values()].filter(({ session }) => session.principal.id === principal.id);
    const own = theirs.filter(({ session }) => session.id === id);
    return (
      own.length >= MAX_LEASES_PER_SESSION ||
      theirs.length + this.#ports.restingOf(principal.id) >= this.#ports.mostOfOne
    );
  }

  #create({ client, head, resource, identity }: AllowedLease, connections: number): Lease {
    const { clock, bounds, ports } = this.#door;
    const openedAt = clock();
    const terms = {
      id: sortableId(openedAt),
      client,
      personal: personalBlock(this.#door, head, resource, identity),
      resource: resource.name,
      connections,
      openedAt,
      expiresAt: openedAt + bounds.leaseBeginMs,
    };
    return new Lease(terms, identity.session, {
      clock,
      enter: (connection) => void accessConnection(this.#door, connection),
      stranger: (address) => ports.strangers.refused('lease_of_another_address', address),
      over: (lease, reason) => this.#over(lease, reason),
    });
  }

  /** Undefined when it has a port, is on record, and is still allowed: the commit took its time. */
  async #begin(lease: Lease, allowed: AllowedLease): Promise<LeaseRefusal | undefined> {
    const { terms } = lease;
    try {
      const port = await this.#ports.open(lease.session.principal.id, (socket, address) => lease.take(socket, address));
      if (port === undefined) return this.#abandon(lease, { refusal: NO_LEASE_PORT });
      lease.listenAt(port);
      await this.#door.ports.audit.append(openedRecord(lease, port.number, allowed.decision));
    } catch (error) {
      this.#door.log?.warn({ lease: terms.id, error: messageOf(error) }, 'a lease was not recorded, and not given');
      return this.#abandon(lease, { refusal: AUDIT_UNAVAILABLE, reference: terms.id });
    }
    await this.#review(lease);
    lease.recorded();
    return undefined;
  }

  #abandon(lease: Lease, why: LeaseRefusal): LeaseRefusal {
    this.#leases.delete(lease.terms.id);
    lease.abandon();
    return why;
  }

  /** Something about the person changed: what leased the port must still open the same session, and be allowed to. */
  async #review(lease: Lease): Promise<void> {
    const { ports, log } = this.#door;
    try {
      const identity = await readIdentity(ports, lease.terms.client.credential);
      if (identity?.session.id !== lease.session.id) return this.#end(lease, 'session_revoked');
      lease.session = identity.session;
      this.#decideAgain(lease);
    } catch (error) {
      log?.warn({ lease: lease.terms.id, error: messageOf(error) }, 'a lease could not be reviewed');
      this.#end(lease, 'authority_lost');
    }
  }

  #decideAgain(lease: Lease): void {
    const { client, resource } = lease.terms;
    if (!stillAllows(this.#door, client, resource, lease.session)) this.#end(lease, 'policy_changed');
  }

  #end(lease: Lease, reason: TerminationReason): void {
    for (const access of this.#door.live.all()) {
      if (access instanceof OpenConnection && lease.holds(access.connection)) access.terminate(reason);
    }
    lease.end(reason);
  }

  #over(lease: Lease, reason: LeaseEnd): void {
    const { clock, ports, log } = this.#door;
    const { id } = lease.terms;
    this.#leases.delete(id);
    ports.audit.append(endedRecord(lease, reason, clock())).catch((error: unknown) => {
      log?.warn({ lease: id, error: messageOf(error) }, 'the end of a lease was not recorded');
    });
  }

  #viewOf({ terms, session, port, begun }: Lease): LeaseView | undefined {
    if (port === undefined) return undefined;
    const { id, client, resource, connections, openedAt, expiresAt } = terms;
    const { host } = this.#options;
    const { address } = client;
    return { id, session, resource, host, port, address, connections, begun, openedAt, expiresAt };
  }
}

function tooMany(most: number) {
  return refusal(
    400,
    'request_invalid',
    `A lease at this relay takes at most ${counted(most, 'connection')} (leases.connections in postern.yaml). Ask for fewer.`,
  );
}
