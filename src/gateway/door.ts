import type { Clock, Elapsed } from '../lib/clock.ts';
import type { LineLog } from '../lib/sparing-log.ts';
import type { AnonymousGate } from './access/anonymous.ts';
import type { PersonRate } from './access/person-rate.ts';
import type { ConnectionPlaces } from './connection/places.ts';
import type { Bounds } from './limits.ts';
import type { LiveAccesses } from './live.ts';
import type { GatewayPorts } from './ports.ts';
import type { TargetPool } from './target/pool.ts';

/** What every access needs; one per gateway. */
export interface Door {
  readonly ports: GatewayPorts;
  readonly pool: TargetPool;
  readonly connections: ConnectionPlaces;
  readonly live: LiveAccesses;
  readonly personRate: PersonRate;
  readonly anonymousGate: AnonymousGate;
  readonly bounds: Bounds;
  readonly isPosternCookie: (name: string) => boolean;
  /** Key of the hashes that stand for unrecorded query values. */
  readonly queryKey: Uint8Array;
  readonly clock: Clock;
  /** For how long somebody was waited for. */
  readonly elapsed: Elapsed;
  /** Sparing: what is said once for each request is counted. */
  readonly log: LineLog | undefined;
}
