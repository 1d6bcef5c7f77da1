import type { EventBase } from './event-base.ts';

export interface AgentEvent extends EventBase {
  readonly kind:
    | 'agent.token_created'
    | 'agent.enrolled'
    | 'agent.enrollment_refused'
    | 'agent.connected'
    | 'agent.disconnected'
    | 'agent.refused'
    | 'agent.revoked'
    | 'agent.token_revoked'
    | 'agent.drained'
    | 'agent.resumed'
    /** A resource that the relay's file does not know; `reason` names it and its host. */
    | 'agent.announced'
    | 'agent.announcement_refused';
  readonly agent: string;
  readonly tunnel?: string;
  readonly reason?: string;
  readonly keyThumbprint?: string;
}
