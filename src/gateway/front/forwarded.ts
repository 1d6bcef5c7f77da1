import type { IncomingMessage } from 'node:http';
import { type Networks, plainAddress } from '../../lib/networks.ts';

/** Entries looked at from the right; a longer chain ends there. */
const MAX_HOPS = 32;

/**
 * The client behind trusted proxies: from the right of X-Forwarded-For, the first address that is no trusted proxy.
 * What stands left of it is only somebody's word. `peer` is the other end of the connection.
 */
export function forwardedClient(req: IncomingMessage, peer: string, trusted: Networks): string {
  let client = plainAddress(peer) ?? peer;
  if (!trusted(client)) return client;
  const entries = (fieldOf(req, 'x-forwarded-for') ?? '').split(',').slice(-MAX_HOPS);
  while (trusted(client)) {
    const next = addressOf(entries.pop()?.trim() ?? '');
    if (next === undefined) return client;
    client = next;
  }
  return client;
}

/** A trusted proxy says that the client spoke plain HTTP with it. Silence counts as https: that is what it is there for. */
export function cameByPlainHttp(req: IncomingMessage, peer: string, trusted: Networks): boolean {
  if (!trusted(peer)) return false;
  const proto = fieldOf(req, 'x-forwarded-proto');
  return proto !== undefined && proto.split(',').at(-1)?.trim().toLowerCase() !== 'https';
}

/** All fields of one name, in order. */
function fieldOf(req: IncomingMessage, name: string): string | undefined {
  return req.headersDistinct[name]?.join(',');
}

/** `192.0.2.1`, `192.0.2.1:5000`, `2001:db8::1`, `[2001:db8::1]:5000` → the address alone. */
function addressOf(text: string): string | undefined {
  const six = /^\[([^\]]{2,45})\](?::\d{1,5})?$/.exec(text)?.[1];
  const four = /^(\d[\d.]{6,14}):\d{1,5}$/.exec(text)?.[1];
  return plainAddress(six ?? four ?? text);
}
