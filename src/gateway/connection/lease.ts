import type { Socket } from 'node:net';
import type { PersonalBlock } from '../../domain/audit-event/event-base.ts';
import type { LeaseEnd } from '../../domain/lease.ts';
import type { Session } from '../../domain/session.ts';
import type { Clock } from '../../lib/clock.ts';
import { plainAddress } from '../../lib/networks.ts';
import { LEASE_KEEPALIVE_MS } from '../limits.ts';
import type { Connection, ConnectionClient } from './connection.ts';
import type { LeasePort } from './lease-ports.ts';
import { LeasedConnection } from './leased-connection.ts';

export interface LeaseTerms {
  readonly id: string;
  /** Whose it is; the only address that it is open from. */
  readonly client: ConnectionClient;
  /** Of its records. */
  readonly personal: PersonalBlock;
  /** Name of the resource. */
  readonly resource: string;
  readonly connections: number;
  readonly openedAt: number;
  readonly expiresAt: number;
}

export interface LeaseParts {
  readonly clock: Clock;
  /** To the door. */
  readonly enter: (connection: Connection) => void;
  readonly stranger: (address: string) => void;
  /** Its record is due: it takes nothing more, and nothing is open. */
  readonly over: (lease: Lease, reason: LeaseEnd) => void;
}

/** A leased port: nothing until it is recorded, then open from one address for a time and a number of connections. */
export class Lease {
  readonly terms: LeaseTerms;
  /** As last read. */
  session: Session;
  /** Principal id of who ended it, when it was not the holder. */
  endedBy: string | undefined;
  readonly #parts: LeaseParts;
  readonly #open = new Set<Socket>();
  #port: LeasePort | undefined;
  #begun = 0;
  #isRecorded = false;
  #end: LeaseEnd | undefined;

  constructor(terms: LeaseTerms, session: Session, parts: LeaseParts) {
    this.terms = terms;
    this.session = session;
    this.#parts = parts;
  }

  /** Undefined before it is recorded and after it is over. */
  get port(): number | undefined {
    return this.#isRecorded ? this.#port?.number : undefined;
  }

  get begun(): number {
    return this.#begun;
  }

  get isEnded(): boolean {
    return this.#end !== undefined;
  }

  listenAt(port: LeasePort): void {
    this.#port = port;
  }

  /** From here on it is open, unless it was ended meanwhile. */
  recorded(): void {
    this.#isRecorded = true;
    this.#settle();
  }

  /** It was never recorded, and nobody was told. */
  abandon(): void {
    this.#end ??= 'expired';
    this.#release();
  }

  take(socket: Socket, from: string | undefined): void {
    socket.on('error', ignore);
    const address = from === undefined ? undefined : plainAddress(from);
    if (address === undefined || address !== plainAddress(this.terms.client.address)) {
      this.#parts.stranger(address ?? '');
      return void socket.resetAndDestroy();
    }
    if (!this.#isRecorded || this.isEnded || this.terms.expiresAt <= this.#parts.clock()) {
      return void socket.resetAndDestroy();
    }
    this.#begun += 1;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#open.delete(socket);
      this.#settle();
    });
    if (this.#begun === this.terms.connections) this.takeNoMore('used');
    socket.allowHalfOpen = true;
    socket.setKeepAlive(true, LEASE_KEEPALIVE_MS);
    this.#parts.enter(new LeasedConnection(this.terms.client, this.terms.resource, socket));
  }

  holds({ stream }: Connection): boolean {
    return this.#open.has(stream as Socket);
  }

  /** What is open goes on. */
  takeNoMore(reason: LeaseEnd): void {
    this.#end ??= reason;
    this.#port?.close();
    this.#settle();
  }

  /** Now, with what is open. */
  end(reason: LeaseEnd): void {
    this.#end = reason;
    this.#port?.close();
    for (const socket of this.#open) socket.resetAndDestroy();
    this.#settle();
  }

  #settle(): void {
    if (!this.#isRecorded || this.#end === undefined || this.#open.size > 0 || !this.#port) return;
    this.#release();
    this.#parts.over(this, this.#end);
  }

  #release(): void {
    this.#port?.close();
    this.#port?.giveBack();
    this.#port = undefined;
  }
}

function ignore(): void {}
