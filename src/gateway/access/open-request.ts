import { breakOff, type Exchange } from '../answer/exchange.ts';
import type { Door } from '../door.ts';
import type { TargetStream } from '../target/target-stream.ts';
import type { RequestHead } from './1-read.ts';
import { OpenAccess, type OpenFacts } from './open-access.ts';

/** One HTTP request or WebSocket. */
export class OpenRequest extends OpenAccess<TargetStream> {
  readonly head: RequestHead;
  readonly exchange: Exchange;
  /** The client sent more than the resource takes. */
  bodyTooLarge = false;

  constructor(door: Door, facts: OpenFacts<TargetStream>, head: RequestHead, exchange: Exchange) {
    super(door, facts);
    this.head = head;
    this.exchange = exchange;
  }

  protected override cutClient(): void {
    breakOff(this.exchange);
  }
}
