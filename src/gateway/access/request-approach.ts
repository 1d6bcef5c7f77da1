import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Exchange } from '../answer/exchange.ts';
import {
  AUTHORITY_UNAVAILABLE,
  BODY_TOO_LARGE,
  POOL_FULL,
  type Refusal,
  TOO_MANY_REQUESTS,
} from '../answer/refusal.ts';
import type { Door } from '../door.ts';
import type { AgentTunnel } from '../ports.ts';
import type { TargetStream } from '../target/target-stream.ts';
import type { RequestHead } from './1-read.ts';
import { forward } from './6-forward.ts';
import type { Approach, RefusalMarks } from './approach.ts';
import { isTooLarge } from './body-limit.ts';
import type { OpenFacts } from './open-access.ts';
import { OpenRequest } from './open-request.ts';
import { refuse } from './refuse.ts';
import { answerStranger } from './stranger.ts';

/** An HTTP request or WebSocket at the door. */
export class RequestApproach implements Approach<TargetStream, OpenRequest> {
  readonly head: RequestHead;
  readonly full = POOL_FULL;
  readonly #door: Door;
  readonly #exchange: Exchange;

  constructor(door: Door, exchange: Exchange, head: RequestHead) {
    this.#door = door;
    this.#exchange = exchange;
    this.head = head;
  }

  async admitsStranger(resource: Resource, { effect }: Decision, startedAt: number): Promise<boolean> {
    const { ports, anonymousGate } = this.#door;
    if (effect === 'deny') await answerStranger(this.#door, this.#exchange, this.head, resource);
    else if (!ports.sessions.hasAuthority()) this.refuse(AUTHORITY_UNAVAILABLE, { resource });
    else if (anonymousGate.admits(this.head, startedAt)) return true;
    else this.refuse(TOO_MANY_REQUESTS, { stranger: 'too_many_requests', resource });
    return false;
  }

  pick(resource: Resource): AgentTunnel | undefined {
    return this.#door.ports.tunnels.pick(resource);
  }

  unfit(resource: Resource): Refusal | undefined {
    return isTooLarge(this.head, resource) ? BODY_TOO_LARGE : undefined;
  }

  take(session: string, resource: Resource, tunnel: AgentTunnel) {
    return this.#door.pool.take(session, resource.name, tunnel);
  }

  giveBack(stream: TargetStream, unused: boolean): void {
    this.#door.pool.giveBack(stream, unused);
  }

  open(facts: OpenFacts<TargetStream>): OpenRequest {
    return new OpenRequest(this.#door, facts, this.head, this.#exchange);
  }

  forward(access: OpenRequest): Promise<void> {
    return forward(access);
  }

  refuse(refusal: Refusal, marks?: RefusalMarks): void {
    refuse(this.#door, this.#exchange, this.head, refusal, marks);
  }
}
