/** What the control plane publishes and the data plane acts on. Closed. */
export type Change =
  | { readonly kind: 'snapshot_changed'; readonly version: number }
  | { readonly kind: 'session_revoked'; readonly session: string; readonly reason: RevocationReason }
  /** Its facts, or what opens its sessions. */
  | { readonly kind: 'principal_changed'; readonly principal: string }
  | { readonly kind: 'agent_revoked'; readonly agent: string }
  /** Gets no new streams while drained. */
  | { readonly kind: 'agent_drained'; readonly agent: string; readonly drained: boolean }
  /** Nobody knows what: nothing that was read before counts. */
  | { readonly kind: 'everything_changed' };

export type RevocationReason = 'signed_out' | 'session_revoked' | 'session_expired' | 'principal_disabled';

/** Why live traffic was cut; recorded in the outcome and sent to both ends where the protocol can say it. */
export type TerminationReason =
  | RevocationReason
  | 'policy_changed'
  /** One live access, by a person responsible for security. */
  | 'access_terminated'
  /** The lease of the port at which it came in. */
  | 'lease_ended'
  | 'agent_revoked'
  | 'authority_lost'
  | 'relay_stopping';
