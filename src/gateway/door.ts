import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { LiveAccesses } from './live.ts';
import type { GatewayPorts } from './ports.ts';
import type { TargetPool } from './target/pool.ts';

/** What every access needs; one per gateway. */
export interface Door {
  readonly ports: GatewayPorts;
  readonly pool: TargetPool;
  readonly live: LiveAccesses;
  readonly isPosternCookie: (name: string) => boolean;
  /** Key of the hashes that stand for unrecorded query values. */
  readonly queryKey: Uint8Array;
  readonly clock: Clock;
  readonly log: Logger | undefined;
}
