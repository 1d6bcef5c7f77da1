import { messageOf } from '../../lib/errors.ts';

export type Phase = 'starting' | 'running' | 'stopping';

export interface HealthAnswer {
  readonly ok: boolean;
  /** What is not right, for whoever looks. */
  readonly reason?: string;
}

/** What a supervisor asks. Only readiness looks at the database: a restart would not bring that back. */
export class Health {
  phase: Phase = 'starting';
  /** Set once there is something to ask: why no traffic should come here now, or undefined. */
  unreadyBecause: () => string | undefined = () => undefined;

  /** Started once? Stays true while stopping. */
  startup(): HealthAnswer {
    return this.phase === 'starting' ? { ok: false, reason: 'starting' } : { ok: true };
  }

  /** Answering at all is the answer: a stuck event loop does not. */
  live(): HealthAnswer {
    return { ok: true };
  }

  ready(): HealthAnswer {
    if (this.phase !== 'running') return { ok: false, reason: this.phase };
    try {
      const reason = this.unreadyBecause();
      return reason === undefined ? { ok: true } : { ok: false, reason };
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    }
  }
}
