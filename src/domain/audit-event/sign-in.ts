import type { TerminationReason } from '../change.ts';
import type { EventBase } from './event-base.ts';

export interface SignIn extends EventBase {
  readonly kind: 'sign_in.completed';
  /** `local`: by a link made on the relay's machine. */
  readonly method: 'oidc' | 'local';
  readonly amr: readonly string[];
}

export interface SignInFailed extends EventBase {
  readonly kind: 'sign_in.failed';
  readonly reason: string;
}

export interface SessionEnded extends EventBase {
  readonly kind: 'session.ended';
  readonly reason: TerminationReason;
  /** Principal id of the admin who did it, when it was not the person. */
  readonly by?: string;
}
