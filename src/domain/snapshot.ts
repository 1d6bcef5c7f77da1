import type { Policy } from './decision.ts';
import type { Resource } from './resource.ts';

/** Immutable state of the data plane, swapped in one assignment. */
export interface Snapshot {
  /** Grows by one with each swap; compared in the gap between decision and first byte. */
  readonly version: number;
  readonly policy: Policy;
  readonly resourceByName: ReadonlyMap<string, Resource>;
  /** Key: lower-case host without port. Only those of protocol http. */
  readonly resourceByHost: ReadonlyMap<string, Resource>;
}
