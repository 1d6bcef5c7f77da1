import type { Server } from 'node:http';

/**
 * For a server that listens nowhere and is given its connections: Node enforces `headersTimeout` and `requestTimeout`, and
 * knows which connections are idle, only from the event 'listening' on. Until `server.close()`.
 */
export function watchConnections(server: Server): void {
  server.emit('listening');
}
