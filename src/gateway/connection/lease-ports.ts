import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Networks } from '../../lib/networks.ts';
import type { LineLog } from '../../lib/sparing-log.ts';
import { createProxyFront } from '../front/proxy-front.ts';
import { MAX_LEASE_SOCKETS } from '../limits.ts';

export interface LeasePortsOptions {
  /** Where they listen. */
  readonly listen: string;
  /** First and last. */
  readonly range: readonly [number, number];
  /** Connections begin with a header of the PROXY protocol, from these only. */
  readonly proxies: Networks | undefined;
  /** How long a port rests before the next lease, so that who comes late does not meet it. */
  readonly restMs: number;
  readonly clock: Clock;
  readonly log: LineLog | undefined;
}

/** A port that listens for one lease. */
export interface LeasePort {
  readonly number: number;
  /** Takes no further connections. */
  close(): void;
  /** Nobody uses it any more. */
  giveBack(): void;
}

interface FreePort {
  readonly number: number;
  /** Until then it rests. */
  readonly from: number;
  /** Whose it was: principal id. */
  readonly last: string | undefined;
}

/** `address`: the other end, as a proxy said it where there is one; undefined where the proxy speaks for itself. */
export type OnSocket = (socket: Socket, address: string | undefined) => void;

/** The ports that can be leased, the one that rests longest first; in an order that nobody outside can tell. */
export class LeasePorts {
  readonly #options: LeasePortsOptions;
  readonly #free: FreePort[];
  /** The most that one person may keep from others: half of them. */
  readonly mostOfOne: number;

  constructor(options: LeasePortsOptions) {
    const [first, last] = options.range;
    this.#options = options;
    this.mostOfOne = Math.ceil((last - first + 1) / 2);
    this.#free = shuffled(first, last).map((number) => ({ number, from: 0, last: undefined }));
  }

  /** Ports that rest after this person. */
  restingOf(person: string): number {
    const now = this.#options.clock();
    return this.#free.filter(({ from, last }) => last === person && from > now).length;
  }

  /** Undefined where none is free. One that another program holds is passed over. */
  async open(person: string, onSocket: OnSocket): Promise<LeasePort | undefined> {
    const { clock, restMs, log } = this.#options;
    for (let left = this.#free.length; left > 0; left -= 1) {
      const [next] = this.#free;
      if (next === undefined || next.from > clock()) return undefined;
      this.#free.shift();
      const { number } = next;
      const rest = (last: string | undefined) => void this.#free.push({ number, from: clock() + restMs, last });
      const server = this.#server(onSocket);
      try {
        server.listen(number, this.#options.listen);
        await once(server, 'listening');
      } catch (error) {
        log?.warn({ port: number, error: messageOf(error) }, 'a port for leases cannot be listened on');
        rest(undefined);
        continue;
      }
      server.on('error', (error) => log?.warn({ port: number, error: messageOf(error) }, 'a leased port failed'));
      return { number, close: () => void server.close(), giveBack: () => rest(person) };
    }
    return undefined;
  }

  #server(onSocket: OnSocket): Server {
    const { proxies } = this.#options;
    if (!proxies) {
      const server = createServer({ noDelay: true }, (socket) => onSocket(socket, socket.remoteAddress));
      server.maxConnections = MAX_LEASE_SOCKETS;
      return server;
    }
    const front = createProxyFront((socket) => onSocket(socket, front.clientOf(socket)), proxies);
    front.server.maxConnections = MAX_LEASE_SOCKETS;
    return front.server;
  }
}

function shuffled(first: number, last: number): number[] {
  const numbers = Array.from({ length: last - first + 1 }, (_, at) => first + at);
  for (let at = numbers.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [numbers[at], numbers[other]] = [numbers[other] ?? first, numbers[at] ?? first];
  }
  return numbers;
}
