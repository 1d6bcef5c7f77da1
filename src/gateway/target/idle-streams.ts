import type { AgentTunnel } from '../ports.ts';
import type { TargetStream } from './target-stream.ts';

/** Streams that wait for their next request, in the order in which they became idle. */
export class IdleStreams {
  readonly #all = new Set<TargetStream>();
  /** The same by session, so that finding one's own does not look at everybody's. */
  readonly #bySession = new Map<string, TargetStream[]>();

  get size(): number {
    return this.#all.size;
  }

  get all(): readonly TargetStream[] {
    return [...this.#all];
  }

  /** The one that has been idle for longest. */
  get oldest(): TargetStream | undefined {
    const [oldest] = this.#all;
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
    this.#all.add(stream);
    const own = this.#bySession.get(stream.session);
    if (own === undefined) this.#bySession.set(stream.session, [stream]);
    else own.push(stream);
  }

  delete(stream: TargetStream): boolean {
    if (!this.#all.delete(stream)) return false;
    const own = this.#bySession.get(stream.session);
    if (own === undefined || own.length <= 1) this.#bySession.delete(stream.session);
    else own.splice(own.lastIndexOf(stream), 1);
    return true;
  }
}
