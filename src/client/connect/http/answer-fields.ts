import type { IncomingMessage } from 'node:http';
import { connectionOptions, isHopByHop } from './hop-by-hop.ts';

export interface Places {
  /** Of the resource. */
  readonly origin: string;
  /** Of the local listener, as this client wrote it. */
  readonly local: string;
}

/** What the client gets: the answer's fields as they are, where they lead to the resource now by way of the listener. */
export function answerFields(answer: IncomingMessage, places: Places): string[] {
  const listed = connectionOptions(answer.headers.connection);
  const fields: string[] = [];
  for (let at = 0; at < answer.rawHeaders.length; at += 2) {
    const [name = '', value = ''] = answer.rawHeaders.slice(at, at + 2);
    const lower = name.toLowerCase();
    if (isHopByHop(lower) || listed.has(lower)) continue;
    // It names another way to the resource's own host, without the listener.
    if (lower === 'alt-svc') continue;
    fields.push(name, translated(lower, value, places));
  }
  return fields;
}

function translated(lower: string, value: string, { origin, local }: Places): string {
  switch (lower) {
    case 'location':
    case 'content-location':
      return isUnder(value, origin) ? local + value.slice(origin.length) : value;
    // Where a registry's clients fetch their tokens.
    case 'www-authenticate':
      return value.replaceAll(`="${origin}/`, `="${local}/`);
    // A cookie for the resource's host is none for this one; without a domain it belongs to whoever sets it.
    case 'set-cookie':
      return value.replace(/;\s*domain=[^;]*/gi, '');
    default:
      return value;
  }
}

function isUnder(url: string, origin: string): boolean {
  return url === origin || ['/', '?', '#'].some((next) => url.startsWith(origin + next));
}
