import type { Policy } from '../domain/decision.ts';
import type { Resource } from '../domain/resource.ts';
import type { Snapshot } from '../domain/snapshot.ts';

/** Owns the snapshot in force; swaps it in one assignment. */
export class SnapshotHolder {
  #snapshot: Snapshot;

  constructor(policy: Policy, resources: readonly Resource[]) {
    this.#snapshot = { version: 1, policy, ...maps(resources) };
  }

  get current(): Snapshot {
    return this.#snapshot;
  }

  swapPolicy(policy: Policy): Snapshot {
    this.#snapshot = { ...this.#snapshot, version: this.#snapshot.version + 1, policy };
    return this.#snapshot;
  }

  swapResources(resources: readonly Resource[]): Snapshot {
    this.#snapshot = { ...this.#snapshot, version: this.#snapshot.version + 1, ...maps(resources) };
    return this.#snapshot;
  }
}

function maps(resources: readonly Resource[]): Pick<Snapshot, 'resourceByName' | 'resourceByHost'> {
  return {
    resourceByName: new Map(resources.map((resource) => [resource.name, resource])),
    resourceByHost: new Map(resources.flatMap((resource) => resource.hosts.map((host) => [host, resource]))),
  };
}
