/** What a tunnel needs below it: ordered, reliable binary messages. Where one ends and the next begins carries no meaning. */
export interface MessageTransport {
  /** Set by the tunnel, once, before any message may be delivered. */
  receiver: TransportReceiver | undefined;
  /** Bytes handed over that the network has not taken yet. */
  readonly waitingBytes: number;
  /** Sends each buffer as one message. The buffers must not be changed afterwards. */
  send(messages: readonly Buffer[]): void;
  /** Sends what waits, then ends in order; `reason` at most 123 bytes. Ends anyway after 2 s. */
  close(code: number, reason: string): void;
}

export interface TransportReceiver {
  message(data: Buffer): void;
  /** `waitingBytes` went down. */
  drained(): void;
  /** Called once. `code` and `reason` as the peer gave them; 1006 when the connection was lost. */
  closed(code: number, reason: string): void;
}
