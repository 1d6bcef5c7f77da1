import type { AgentProxy } from '../config/agent-proxy.ts';
import type { AgentTarget } from '../config/agent-target.ts';

export type Proxy = AgentProxy;

/** What an agent is told, as `agent.yaml` gives it after parsing. */
export interface AgentConfig {
  /** Origin of the relay's own host, e.g. `https://access.example.com`. */
  readonly relay: string;
  readonly name: string;
  /** Holds the single-use enrollment token; needed until the agent is enrolled. */
  readonly enrollmentTokenFile?: string;
  /** Key pair and pinned relay keys; made with mode 0700 when missing. */
  readonly stateDir: string;
  readonly heartbeatMs: number;
  /** An HTTP proxy on the way to the relay, asked with CONNECT. */
  readonly proxy?: Proxy;
  /** Resource → target. Nothing else is ever dialled. */
  readonly targets: Readonly<Record<string, Target>>;
}

export type Target = AgentTarget;
