import type { Session } from './session.ts';

/** What is under way, as the data plane has it and the console shows it. Times are epoch ms. */
export interface LiveAccess {
  /** Id of its intent. */
  readonly intent: string;
  readonly session: Session;
  readonly resource: { readonly name: string };
  /** Address and port, of a connection through a network. */
  readonly destination?: string | undefined;
  readonly agent: string;
  readonly startedAt: number;
}

/** One tunnel of an agent. */
export interface TunnelView {
  readonly tunnel: string;
  readonly agent: string;
  readonly connectedAt: number;
  /** When its credential ends, unless renewed. */
  readonly expiresAt: number;
  readonly resources: readonly string[];
  /** Resources whose target the agent could not reach when it last tried. */
  readonly unreachable: readonly string[];
  readonly streams: number;
  readonly roundTripMs: number;
}
