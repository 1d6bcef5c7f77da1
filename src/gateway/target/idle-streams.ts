import type { AgentTunnel } from '../ports.ts';
import type { TargetStream } from './target-stream.ts';

/** Streams that wait for their next request. */
export class IdleStreams {
  /** By session, so that finding one's own does not look at everybody's; in the order in which they became idle. */
  readonly #bySession = new Map<string, TargetStream[]>();
  #size = 0;
  #turns = 0;

  get size(): number {
    return this.#size;
  }

  get all(): readonly TargetStream[] {
    return [...this.#bySession.values()].flat();
  }

  /** The one that has been idle for longest. Looks at all sessions. */
  get oldest(): TargetStream | undefined {
    let oldest: TargetStream | undefined;
    for (const [first] of this.#bySession.values()) {
      if (first !== undefined && first.idleTurn < (oldest?.idleTurn ?? Number.POSITIVE_INFINITY)) oldest = first;
    }
    return oldest;
  }

  countOf(session: string): number {
    return this.#bySession.get(session)?.length ?? 0;
  }

  oldestOf(session: string): TargetStream | undefined {
    return this.#bySession.get(session)?.[0];
  }

  /** The warmest on this tunnel. */
  latestOf(session: string, tunnel: AgentTunnel): TargetStream | undefined {
    return this.#bySession.get(session)?.findLast((stream) => stream.tunnel === tunnel);
  }

  add(stream: TargetStream): void {
    this.#turns += 1;
    stream.idleTurn = this.#turns;
    this.#size += 1;
    const own = this.#bySession.get(stream.session);
    if (own === undefined) this.#bySession.set(stream.session, [stream]);
    else own.push(stream);
  }

  /** False: it was not idle. */
  delete(stream: TargetStream): boolean {
    const own = this.#bySession.get(stream.session);
    const at = own?.lastIndexOf(stream) ?? -1;
    if (own === undefined || at === -1) return false;
    this.#size -= 1;
    if (own.length === 1) this.#bySession.delete(stream.session);
    else own.splice(at, 1);
    return true;
  }
}
