import { GoAwayCode } from './frame.ts';

/** Why a tunnel ended: it travels as the WebSocket close code. Closed; listed in SPEC.md. */
export type TunnelEndCode =
  | 'normal'
  | 'protocol_violation'
  | 'internal_error'
  | 'agent_stopping'
  | 'relay_stopping'
  | 'heartbeat_missed'
  | 'proof_refused'
  | 'proof_timeout'
  | 'credential_expired'
  | 'agent_revoked'
  | 'replaced'
  | 'session_ended'
  | 'connection_lost';

export interface TunnelEnd {
  readonly code: TunnelEndCode;
  /** One sentence for the log. */
  readonly reason: string;
  readonly by: 'us' | 'peer' | 'network';
}

/** RFC 6455 §7.4: 1000, 1002, 1011 as defined there; 4000 and up are ours. */
const CLOSE_CODES: Readonly<Record<TunnelEndCode, number>> = {
  normal: 1000,
  protocol_violation: 1002,
  internal_error: 1011,
  agent_stopping: 4000,
  relay_stopping: 4001,
  heartbeat_missed: 4002,
  proof_refused: 4003,
  proof_timeout: 4004,
  credential_expired: 4005,
  agent_revoked: 4006,
  replaced: 4007,
  session_ended: 4008,
  connection_lost: 1006,
};

export function closeCodeOf(code: TunnelEndCode): number {
  return CLOSE_CODES[code];
}

export function endCodeOf(closeCode: number): TunnelEndCode {
  for (const [code, number] of Object.entries(CLOSE_CODES)) {
    if (number === closeCode) return code as TunnelEndCode;
  }
  return closeCode === 1001 ? 'normal' : 'connection_lost';
}

export function goAwayCodeOf(code: TunnelEndCode): number {
  if (code === 'protocol_violation') return GoAwayCode.protocolError;
  return code === 'internal_error' ? GoAwayCode.internalError : GoAwayCode.normal;
}
