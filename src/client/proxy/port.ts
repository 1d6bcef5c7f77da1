import type { Duplex } from 'node:stream';

/** What both kinds of proxy ask of whom they serve. */
export interface ProxyPort {
  /** Rejects as StreamOpener does. An IPv6 `host` has no brackets. */
  open(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** Told of each connection that was not opened or broke. */
  failed(host: string, error: unknown): void;
}
