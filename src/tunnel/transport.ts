/** What a tunnel needs below it: an ordered, reliable stream of bytes. How they are cut carries no meaning. */
export interface MessageTransport {
  /** Set by the tunnel, once, before any message may be delivered. */
  receiver: TransportReceiver | undefined;
  /** Bytes handed over that the network has not taken yet. */
  readonly waitingBytes: number;
  /**
   * Sends the pieces, one after the other. They must not be changed until `taken` is called: the network has them all,
   * or, with an error, will not take what is left.
   */
  send(pieces: readonly Buffer[], taken?: (error?: Error | null) => void): void;
  /** Sends what waits, then ends in order; `reason` at most 123 bytes. Ends anyway after 2 s. */
  close(code: number, reason: string): void;
}

export interface TransportReceiver {
  /** A view into memory that `release` gives back. */
  message(data: Buffer): void;
  /** `waitingBytes` went down. */
  drained(): void;
  /** Called once. `code` and `reason` as the peer gave them; 1006 when the connection was lost. */
  closed(code: number, reason: string): void;
}
