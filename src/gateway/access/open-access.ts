import type { AccessEnd, Recorded } from '../../domain/audit-event.ts';
import type { TerminationReason } from '../../domain/change.ts';
import type { LiveAccess } from '../../domain/live.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Identity, Session } from '../../domain/session.ts';
import type { Door } from '../door.ts';
import type { AccessHead } from './1-read-connection.ts';
import type { Credential, Identified } from './3-identify.ts';
import { recordOutcome } from './7-record-outcome.ts';
import type { StreamPlace } from './stream-place.ts';

/** What is known of an access once its intent is durable. */
export interface OpenFacts<Place extends StreamPlace> {
  readonly resource: Resource;
  readonly identified: Identified;
  readonly recorded: Recorded;
  readonly stream: Place;
  /** Of the snapshot that allowed it. */
  readonly snapshotVersion: number;
  readonly startedAt: number;
}

/** One allowed and recorded access until its outcome, over whichever protocol. */
export abstract class OpenAccess<Place extends StreamPlace = StreamPlace> implements LiveAccess {
  abstract readonly head: AccessHead;
  readonly door: Door;
  readonly resource: Resource;
  readonly credential: Credential;
  readonly recorded: Recorded;
  readonly sessionId: string;
  readonly startedAt: number;
  /** As last read; a changed principal brings a new one. */
  identity: Identity;
  /** Of the snapshot that last allowed it. */
  snapshotVersion: number;
  stream: Place;
  /** Name of the stream on which it was sent again. */
  retriedOn: string | undefined;
  bytesUp = 0;
  bytesDown = 0;
  /** Status that the client got from the target. */
  status: number | undefined;
  /** Since when only the client is waited for (`Elapsed`); 0 while it is not. */
  stalledSince = 0;
  /** Set when authority ended it; whoever forwards then stops. */
  terminated: TerminationReason | undefined;
  /** Stops what is under way; replaced by each stage of forwarding. */
  stop: (() => void) | undefined;
  ended = false;
  /** Among those that are under way. */
  seat = -1;
  readonly #firstAgent: string;

  constructor(door: Door, facts: OpenFacts<Place>) {
    const { resource, identified, recorded, stream, snapshotVersion, startedAt } = facts;
    this.door = door;
    this.resource = resource;
    this.identity = identified.identity;
    this.credential = identified.credential;
    this.sessionId = identified.identity.session.id;
    this.recorded = recorded;
    this.stream = stream;
    this.snapshotVersion = snapshotVersion;
    this.startedAt = startedAt;
    this.#firstAgent = stream.tunnel.agent;
  }

  get intent(): string {
    return this.recorded.id;
  }

  get session(): Session {
    return this.identity.session;
  }

  get agent(): string {
    return this.stream.tunnel.agent;
  }

  terminate(reason: TerminationReason): void {
    if (this.ended || this.terminated !== undefined) return;
    this.terminated = reason;
    this.stop?.();
  }

  /** The client stalls, no authority ended it. */
  giveUp(): void {
    if (this.ended) return;
    this.cutClient();
    this.finish('timed_out');
    this.stop?.();
  }

  /** Writes the outcome, once. A terminated access ends so, whatever was noticed first. */
  finish(end: AccessEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.door.live.remove(this);
    recordOutcome(this.door, {
      intent: this.recorded.id,
      identity: this.identity,
      resource: this.resource.name,
      end: this.terminated === undefined || end === 'revoked_before_forward' ? end : 'terminated',
      reason: this.terminated,
      status: this.status,
      bytesUp: this.bytesUp,
      bytesDown: this.bytesDown,
      startedAt: this.startedAt,
      retriedOn: this.retriedOn,
      agent: this.agent === this.#firstAgent ? undefined : this.agent,
    });
  }

  /** So that the client cannot take what it has for all of it. */
  protected abstract cutClient(): void;
}
