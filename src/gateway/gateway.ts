import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Change } from '../domain/change.ts';
import { type Clock, type Elapsed, systemClock, systemElapsed } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { type LineLog, SparingLog } from '../lib/sparing-log.ts';
import { AnonymousGate } from './access/anonymous.ts';
import { PersonRate } from './access/person-rate.ts';
import { access } from './access.ts';
import { type Exchange, upgradeExchange } from './answer/exchange.ts';
import { ClientTunnels } from './connection/client-tunnels.ts';
import { type LeaseOptions, Leases } from './connection/leases.ts';
import { ConnectionPlaces } from './connection/places.ts';
import type { Door } from './door.ts';
import { BOUNDS, type Bounds } from './limits.ts';
import { LiveAccesses } from './live.ts';
import type { GatewayPorts, LiveTraffic } from './ports.ts';
import { review, sweep } from './review.ts';
import { TargetPool } from './target/pool.ts';

export interface GatewayOptions {
  /** Key of the hashes that stand for query values in the log: at least 32 bytes, the same after a restart. */
  readonly queryKey: Uint8Array;
  readonly clock?: Clock;
  readonly elapsed?: Elapsed;
  readonly log?: LineLog;
  readonly bounds?: Partial<Bounds>;
  /** Absent: no ports are leased. */
  readonly leases?: LeaseOptions | undefined;
}

/** The data plane: what is sent to a resource's host goes in here, and only through `access` further. */
export interface Gateway {
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** For `GET /tunnel` on the relay's own host, from a command line. */
  handleClientTunnel(req: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly live: LiveTraffic;
  readonly clientTunnels: Pick<ClientTunnels, 'count'>;
  /** Undefined where none are configured. */
  readonly leases: Pick<Leases, 'open' | 'list' | 'end'> | undefined;
  /** Cuts what the change no longer allows. Call it after `snapshot()` and `sessions` already answer with the change. */
  onChange(change: Change): void;
  /** Takes nothing new from command lines; what is open goes on. */
  drain(): void;
  /** Cuts everything that is open (`relay_stopping`). */
  close(): Promise<void>;
}

export function createGateway(ports: GatewayPorts, options: GatewayOptions): Gateway {
  const clock = options.clock ?? systemClock;
  const bounds = { ...BOUNDS, ...options.bounds };
  const log = options.log && new SparingLog(options.log);
  const door: Door = {
    ports,
    pool: new TargetPool(clock),
    connections: new ConnectionPlaces(),
    live: new LiveAccesses(),
    personRate: new PersonRate(bounds.personRate, ports.audit, clock, log),
    anonymousGate: new AnonymousGate(bounds),
    bounds,
    isPosternCookie: (name) => ports.handOff.isPosternCookie(name),
    queryKey: options.queryKey,
    clock,
    elapsed: options.elapsed ?? systemElapsed,
    log,
  };
  const enter = (exchange: Exchange) => {
    access(door, exchange).catch((error: unknown) => {
      log?.error({ error: messageOf(error) }, 'an exchange broke');
      exchange.req.socket.destroy();
    });
  };
  const clients = new ClientTunnels(door);
  const leases = options.leases && new Leases(door, options.leases);
  const sweeping = setInterval(() => {
    sweep(door);
    clients.sweep();
    leases?.sweep();
  }, bounds.sweepMs);
  sweeping.unref();
  return {
    handleRequest(req, res) {
      enter({ req, res, upgrade: undefined });
    },
    handleUpgrade(req, socket, head) {
      const exchange = upgradeExchange(req, socket, head);
      if (exchange !== undefined) enter(exchange);
    },
    handleClientTunnel(req, socket, head) {
      clients.handleUpgrade(req, socket, head);
    },
    live: door.live,
    clientTunnels: clients,
    leases,
    onChange(change) {
      review(door, change);
      clients.onChange(change);
      leases?.onChange(change);
    },
    drain() {
      clients.drain();
      leases?.drain();
    },
    async close() {
      clearInterval(sweeping);
      door.live.terminate(() => true, 'relay_stopping');
      clients.close();
      leases?.close();
      door.pool.close();
      await door.personRate.close();
      log?.sumUp();
    },
  };
}
