import type { TerminationReason } from './change.ts';
import type { Presented, Session } from './session.ts';

/** A port of the relay that leads from one address to one resource, as one person. Times are epoch ms. */
export interface LeaseView {
  /** Id of its record `lease.opened`. */
  readonly id: string;
  /** As last read. */
  readonly session: Session;
  readonly resource: string;
  /** Where to connect to. */
  readonly host: string;
  readonly port: number;
  /** The only one it is open from. */
  readonly address: string;
  /** How many it takes, and has taken. */
  readonly connections: number;
  readonly begun: number;
  readonly openedAt: number;
  /** Until then connections may begin. */
  readonly expiresAt: number;
}

/** What a person asks for who leases a port. */
export interface LeaseWish {
  readonly presented: Presented;
  readonly via: 'cookie' | 'token';
  /** Where they ask from, and will connect from. */
  readonly address: string;
  readonly userAgent: string | undefined;
  /** Name of the resource. */
  readonly resource: string;
  readonly connections: number;
}

/** `used`: it has taken as many connections as it may, and they have ended; `expired`: the time in which they may begin is over. */
export type LeaseEnd = 'used' | 'expired' | TerminationReason;
