import type { AgentTunnel } from '../ports.ts';

/** A stream to a target, counted and named before it is open. */
export interface StreamPlace {
  readonly tunnel: AgentTunnel;
  readonly name: string;
  /** 1 for the access that opens it, 2 for the next one on it, … */
  readonly ordinal: number;
}
