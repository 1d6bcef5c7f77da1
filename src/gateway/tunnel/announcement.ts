/** A resource that an agent may not serve, and why: written for whoever runs the agent. */
export interface RefusedAnnouncement {
  readonly resource: string;
  readonly reason: string;
}

/** Which of the announced names the agent may not serve. `scope` is its enrollment token's. */
export type AnnouncementJudge = (
  agent: string,
  scope: readonly string[],
  names: readonly string[],
) => readonly RefusedAnnouncement[];
