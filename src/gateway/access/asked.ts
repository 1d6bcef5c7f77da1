import type { Resource } from '../../domain/resource.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { Identified } from './3-identify.ts';

/** Who asks for what, as steps 1 to 3 have found it. */
export interface Asked {
  /** In which the resource was found. */
  readonly snapshot: Snapshot;
  readonly resource: Resource;
  readonly identified: Identified;
}
