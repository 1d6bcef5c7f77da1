import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/**
 * A WebSocket of the library `ws` up to the end of its opening handshake; then the connection is ours. The library would
 * copy each message that came in several reads and allocate for each read, which halves what a tunnel carries.
 */
export class HandshakeSocket extends WebSocket {
  /** Called once, when both sides have agreed. `head`: bytes that came with the end of the handshake. */
  onAgreed: (connection: Duplex, head: Buffer) => void = () => {};

  /** What the library calls with the connection when its own part would begin; not in its documentation. */
  setSocket(connection: Duplex, head: Buffer): void {
    this.onAgreed(connection, head);
  }
}
