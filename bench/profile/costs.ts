import { fileURLToPath } from 'node:url';
import type { CpuProfile, ProfileNode } from './inspector.ts';

/** Where the time of one thread went, in µs of CPU time over the whole profile. */
export interface Costs {
  readonly busyUs: number;
  /** Time in the functions of a group themselves: src/gateway, undici, node:http, (garbage collector), … */
  readonly selfByGroup: ReadonlyMap<string, number>;
  /** Time in a group's functions and in all that they called outside src: what leaving them out would save. */
  readonly causedByGroup: ReadonlyMap<string, number>;
  readonly selfByFunction: ReadonlyMap<string, number>;
  /** As causedByGroup, by function of src and of packages. */
  readonly causedByFunction: ReadonlyMap<string, number>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const IDLE = '(idle)';

/**
 * Samples are taken by the wall clock, so on a busy machine the time in which the thread had no core would count for
 * whatever it last did. Hence a sample weighs `intervalUs` at most twice, and the sum is scaled to the CPU time that
 * the kernel counted.
 */
export function readCosts(profile: CpuProfile, intervalUs: number, cpuUs: number): Costs {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const causes = new Map<number, ProfileNode | undefined>();
  const walk = (node: ProfileNode, cause: ProfileNode | undefined) => {
    const group = groupOf(node);
    // Ours always; a package's only where nothing of ours called it.
    const own = group.startsWith('src/') || (isCause(group) && !cause) ? node : cause;
    causes.set(node.id, own);
    for (const child of node.children ?? []) {
      const next = byId.get(child);
      if (next) walk(next, own);
    }
  };
  const top = profile.nodes[0];
  if (top) walk(top, undefined);

  const costs = {
    busyUs: 0,
    selfByGroup: new Map<string, number>(),
    causedByGroup: new Map<string, number>(),
    selfByFunction: new Map<string, number>(),
    causedByFunction: new Map<string, number>(),
  };
  profile.samples.forEach((id, at) => {
    const node = byId.get(id);
    // The delta after a sample is how long it lasted.
    const elapsedUs = profile.timeDeltas[at + 1] ?? 0;
    if (!node || node.callFrame.functionName === IDLE) return;
    const us = Math.min(elapsedUs, 2 * intervalUs);
    const cause = causes.get(id);
    costs.busyUs += us;
    add(costs.selfByGroup, groupOf(node), us);
    add(costs.selfByFunction, nameOf(node), us);
    add(costs.causedByGroup, cause ? groupOf(cause) : groupOf(node), us);
    if (cause) add(costs.causedByFunction, nameOf(cause), us);
  });
  const scale = costs.busyUs === 0 ? 1 : cpuUs / costs.busyUs;
  for (const sums of [costs.selfByGroup, costs.causedByGroup, costs.selfByFunction, costs.causedByFunction]) {
    for (const [key, us] of sums) sums.set(key, us * scale);
  }
  return { ...costs, busyUs: cpuUs };
}

function add(sums: Map<string, number>, key: string, us: number): void {
  sums.set(key, (sums.get(key) ?? 0) + us);
}

/** src/<layer>, a package, node:<module>, or V8's own words in parentheses. */
function groupOf({ callFrame: { url, functionName } }: ProfileNode): string {
  const path = pathOf(url);
  if (path === '') return functionName.startsWith('(') ? functionName : '(native)';
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(path)?.[1];
  if (inPackage !== undefined) return inPackage;
  const layer = /^src\/[^/]+/.exec(path)?.[0];
  if (layer !== undefined) return layer;
  return /^node:(?:internal\/)?[^/]+/.exec(path)?.[0] ?? path;
}

/** Ours or a package's: someone we can do something about. */
function isCause(group: string): boolean {
  return !group.startsWith('node:') && !group.startsWith('(');
}

function nameOf(node: ProfileNode): string {
  const { functionName, url, lineNumber } = node.callFrame;
  const path = pathOf(url).replace(/^node_modules\//, '');
  return path === '' ? functionName || '(anonymous)' : `${functionName || '(anonymous)'} ${path}:${lineNumber + 1}`;
}

function pathOf(url: string): string {
  return url.startsWith('file://') ? fileURLToPath(url).replace(root, '') : url;
}
