import type { Protocol } from '../../domain/resource.ts';
import type { Ports } from '../../lib/network/ports.ts';

/** What an agent says it serves. */
export interface Announced {
  readonly resource: string;
  readonly protocol: Protocol;
  /** All that it dials for it; absent for web apps and sockets, and where an agent does not say. */
  readonly ports?: readonly Ports[];
}

/** A resource that an agent may not serve, and why: written for whoever runs the agent. */
export interface RefusedAnnouncement {
  readonly resource: string;
  readonly reason: string;
}

/** Which of the announced resources the agent may not serve. `scope` is its enrollment token's. */
export type AnnouncementJudge = (
  agent: string,
  scope: readonly string[],
  announced: readonly Announced[],
) => readonly RefusedAnnouncement[];
