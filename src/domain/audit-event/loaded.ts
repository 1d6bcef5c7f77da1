import type { EventBase } from './event-base.ts';

/** Each load of configuration or policy, with its hash and what changed; a refused one says why and changes nothing. */
export interface Loaded extends EventBase {
  readonly kind: 'configuration.loaded' | 'configuration.refused' | 'policy.loaded' | 'policy.refused';
  readonly hash: string;
  readonly previousHash?: string;
  /** One line per change: `+ rule x`, `- resource y`, `~ rule z`; for a refusal, the errors. */
  readonly difference: readonly string[];
}
