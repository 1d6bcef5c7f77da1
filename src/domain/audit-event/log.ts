import type { EventBase } from './event-base.ts';

/** The first record of each log, and one for each start of the relay after that. */
export interface LogOpened extends EventBase {
  readonly kind: 'log.opened';
  readonly relay: string;
  readonly epoch: number;
  /** Other logs known in this database: id and size. */
  readonly logs: readonly { readonly log: string; readonly size: number }[];
}

export interface LogRead extends EventBase {
  readonly kind: 'log.read';
  readonly query: string;
  readonly results: number;
}
