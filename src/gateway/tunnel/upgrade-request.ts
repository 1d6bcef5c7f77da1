import type { IncomingMessage } from 'node:http';

export interface UpgradeFault {
  readonly status: number;
  readonly title: string;
}

/** What is wrong with the request itself; undefined when it may go on to its credential. */
export function upgradeFault(request: IncomingMessage, subprotocol: string): UpgradeFault | undefined {
  const { headers } = request;
  if (request.method !== 'GET') return { status: 405, title: 'A tunnel is opened with GET.' };
  if (headers.upgrade?.toLowerCase() !== 'websocket') return { status: 426, title: 'A tunnel is a WebSocket.' };
  // A browser sends these and an agent never does: no page can open a tunnel.
  if (headers.origin !== undefined || headers.cookie !== undefined) {
    return { status: 403, title: 'Tunnels are for agents and command lines, not for browsers.' };
  }
  if (!offers(request, subprotocol)) return { status: 400, title: `The subprotocol must be ${subprotocol}.` };
  return undefined;
}

export function offers({ headers }: IncomingMessage, subprotocol: string): boolean {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return offered.includes(subprotocol);
}

/** The token of the one `Authorization: Bearer` header. */
export function bearerOf(request: IncomingMessage): string | undefined {
  const values = request.headersDistinct['authorization'] ?? [];
  const [value] = values;
  if (values.length !== 1 || value === undefined) return undefined;
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(value)?.[1];
}
