import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Refusal } from '../answer/refusal.ts';
import type { AgentTunnel } from '../ports.ts';
import type { AccessHead } from './1-read-connection.ts';
import type { Asked } from './asked.ts';
import type { OpenAccess, OpenFacts } from './open-access.ts';
import type { StreamPlace } from './stream-place.ts';

/** How one kind of access comes to the door: what differs between an HTTP request and a connection. */
export interface Approach<Place extends StreamPlace, Open extends OpenAccess<Place>> {
  readonly head: AccessHead;
  /** Answers a stranger whom no rule lets in, or not now: then false. */
  admitsStranger(resource: Resource, decision: Decision, startedAt: number): Promise<boolean>;
  /** Finds out where it goes, where that is not known: changes `head`. What went wrong is told only if no rule denies anyway. */
  locate?(asked: Asked): Promise<Refusal | undefined>;
  /** The tunnel to take. */
  pick(resource: Resource): AgentTunnel | undefined;
  /** Why what is allowed is refused all the same. */
  unfit(resource: Resource): Refusal | undefined;
  /** A place among the streams to the resource's targets; undefined when there is none. */
  take(session: string, resource: Resource, tunnel: AgentTunnel): Place | undefined | Promise<Place | undefined>;
  /** What is said where there is no place. */
  readonly full: Refusal;
  /** `unused`: nothing went down the stream. */
  giveBack(place: Place, unused: boolean): void;
  open(facts: OpenFacts<Place>): Open;
  /** Step 6, which ends in step 7. Rejects on a defect of ours only. */
  forward(access: Open): Promise<void>;
  refuse(refusal: Refusal, marks?: RefusalMarks): void;
}

export interface RefusalMarks {
  /** Counted as a stranger's, for this reason. */
  readonly stranger?: string;
  /** Default: a fresh one. */
  readonly reference?: string;
  readonly resource?: Resource | undefined;
}
