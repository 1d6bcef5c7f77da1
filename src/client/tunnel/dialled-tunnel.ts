import { HEARTBEAT_MS } from '../../tunnel/heartbeat.ts';
import type { MessageTransport } from '../../tunnel/transport.ts';
import { Tunnel } from '../../tunnel/tunnel.ts';
import { Notices } from './notices.ts';

/** The command line's end of its tunnel. */
export class DialledTunnel extends Tunnel {
  readonly notices: Notices;

  constructor(transport: MessageTransport) {
    const notices = new Notices();
    super(transport, { side: 'dialler', heartbeatMs: HEARTBEAT_MS, accept: (stream) => notices.accept(stream) });
    this.notices = notices;
  }
}
