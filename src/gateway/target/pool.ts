import type { Clock } from '../../lib/clock.ts';
import { Roster } from '../../lib/roster.ts';
import { isAnonymousSession } from '../access/anonymous.ts';
import {
  MAX_ANONYMOUS_PER_RESOURCE,
  MAX_STREAMS_PER_RESOURCE,
  MAX_STREAMS_PER_SESSION,
  MAX_WAITING_PER_RESOURCE,
  PLACE_WAIT_MS,
} from '../limits.ts';
import type { AgentTunnel } from '../ports.ts';
import { IdleStreams } from './idle-streams.ts';
import { TargetStream } from './target-stream.ts';

/**
 * The streams to targets, counted from the moment a place is taken. A stream belongs to one (session, resource, tunnel)
 * for its whole life, so a target that loses count of its answers can hand nobody another person's.
 */
export class TargetPool {
  readonly #clock: Clock;
  /** By resource; as many as are configured. */
  readonly #shares = new Map<string, Share>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A stream to use alone until it is given back; undefined when none became free within `PLACE_WAIT_MS`, to strangers at once. */
  take(session: string, resource: string, tunnel: AgentTunnel): TargetStream | Promise<TargetStream | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const share = this.#share(resource);
    const isStranger = isAnonymousSession(session);
    if (isStranger && strangersIn(share) >= MAX_ANONYMOUS_PER_RESOURCE) return Promise.resolve(undefined);
    // Overtakes nobody: a place that becomes free goes to whoever waits for it at once.
    const stream = this.#tryTake(share, session, resource, tunnel);
    if (stream !== undefined) return stream;
    if (isStranger) return Promise.resolve(undefined);
    return this.#wait(share, session, resource, tunnel);
  }

  /** Takes the place of `stream` with a fresh one; for sending again what the old one lost, or by way of another tunnel. */
  replace(stream: TargetStream, tunnel: AgentTunnel = stream.tunnel): TargetStream {
    const share = this.#share(stream.resource);
    share.busy.delete(stream);
    stream.destroy();
    return this.#create(share, stream.session, stream.resource, tunnel);
  }

  /** Gives a stream back. Only one whose last exchange ended cleanly may carry another. */
  giveBack(stream: TargetStream, reusable: boolean): void {
    const share = this.#share(stream.resource);
    if (!share.busy.delete(stream)) return;
    if (reusable && !this.#closed && stream.canCarryMore(this.#clock())) {
      share.idle.add(stream);
      stream.onEnded = () => this.#drop(share, stream);
    } else {
      stream.destroy();
    }
    this.#serve(share);
  }

  /** Ends streams whose authority is gone: idle ones now, busy ones with their request. */
  end(which: (stream: TargetStream) => boolean): void {
    for (const share of this.#shares.values()) {
      for (const stream of share.busy.list()) if (which(stream)) stream.retired = true;
      for (const stream of share.idle.all) if (which(stream)) this.#drop(share, stream);
    }
  }

  /** Ends what waited for its target, or for another request, for too long. `nowMs` is of `performance.now`. */
  sweep(nowMs: number): void {
    for (const { busy, idle } of this.#shares.values()) {
      for (const stream of [...busy.list(), ...idle.all]) stream.sweep(nowMs);
    }
  }

  close(): void {
    this.#closed = true;
    for (const share of this.#shares.values()) for (const waiter of share.waiting) waiter.settle(undefined);
    this.end(() => true);
  }

  #tryTake(share: Share, session: string, resource: string, tunnel: AgentTunnel): TargetStream | undefined {
    let reusable = share.idle.latestOf(session, tunnel);
    while (reusable !== undefined) {
      if (reusable.canCarryMore(this.#clock())) {
        share.idle.delete(reusable);
        reusable.onEnded = undefined;
        reusable.ordinal += 1;
        share.busy.add(reusable);
        return reusable;
      }
      this.#drop(share, reusable);
      reusable = share.idle.latestOf(session, tunnel);
    }
    let own = share.idle.countOf(session);
    if (share.busy.size + own >= MAX_STREAMS_PER_SESSION) {
      own += share.busy.count((stream) => stream.session === session);
    }
    if (own >= MAX_STREAMS_PER_SESSION) {
      const leastRecent = share.idle.oldestOf(session);
      if (leastRecent === undefined) return undefined;
      this.#drop(share, leastRecent);
    } else if (share.busy.size + share.idle.size >= MAX_STREAMS_PER_RESOURCE) {
      const { oldest } = share.idle;
      if (oldest === undefined) return undefined;
      this.#drop(share, oldest);
    }
    return this.#create(share, session, resource, tunnel);
  }

  #create(share: Share, session: string, resource: string, tunnel: AgentTunnel): TargetStream {
    const stream = new TargetStream(session, resource, tunnel, this.#clock());
    share.busy.add(stream);
    return stream;
  }

  #wait(share: Share, session: string, resource: string, tunnel: AgentTunnel): Promise<TargetStream | undefined> {
    if (share.waiting.size >= MAX_WAITING_PER_RESOURCE) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const settle = (stream: TargetStream | undefined) => {
        clearTimeout(timer);
        share.waiting.delete(waiter);
        resolve(stream);
      };
      const waiter: Waiter = { session, resource, tunnel, settle };
      const timer = setTimeout(settle, PLACE_WAIT_MS, undefined);
      share.waiting.add(waiter);
    });
  }

  #serve(share: Share): void {
    for (const waiter of share.waiting) {
      const stream = this.#tryTake(share, waiter.session, waiter.resource, waiter.tunnel);
      if (stream !== undefined) waiter.settle(stream);
    }
  }

  #drop(share: Share, stream: TargetStream): void {
    stream.onEnded = undefined;
    share.idle.delete(stream);
    stream.destroy();
    if (share.waiting.size > 0) queueMicrotask(() => this.#serve(share));
  }

  #share(resource: string): Share {
    let share = this.#shares.get(resource);
    if (share === undefined) {
      share = { busy: new Roster(), idle: new IdleStreams(), waiting: new Set() };
      this.#shares.set(resource, share);
    }
    return share;
  }
}

function strangersIn({ busy }: Share): number {
  return busy.count((stream) => isAnonymousSession(stream.session));
}

/** The streams of one resource. */
interface Share {
  readonly busy: Roster<TargetStream>;
  readonly idle: IdleStreams;
  /** In the order of arrival. */
  readonly waiting: Set<Waiter>;
}

interface Waiter {
  readonly session: string;
  readonly resource: string;
  readonly tunnel: AgentTunnel;
  readonly settle: (stream: TargetStream | undefined) => void;
}
