import type { ErrorCode } from '../../lib/errors.ts';
import type { Resolved } from '../ports.ts';

/** Why the data plane answers instead of the target. A value; what it says is meant for the person. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The connection cannot be read on: close it. */
  readonly close: boolean;
  /** Whom to ask, on a denial. */
  readonly contact?: string | undefined;
  /** As whom they are signed in, on a denial. */
  readonly person?: string | undefined;
}

export function refusal(status: number, code: ErrorCode, message: string, contact?: string): Refusal {
  return { status, code, message, close: false, contact };
}

/** For requests that cannot be read in one way; the connection is closed, since its next bytes cannot be trusted either. */
export function badRequest(status: 400 | 417 | 431 | 501, message: string): Refusal {
  return { status, code: 'request_invalid', message, close: true };
}

/** Why a name of a network has no address, for whom a rule may let there. */
export function unresolvedRefusal(host: string, { code, message }: Exclude<Resolved, { address: string }>): Refusal {
  switch (code) {
    case 'tunnel_closed':
      return NO_AGENT;
    case 'timeout':
      return refusal(504, 'timeout', `The agent did not find out the address of ${host} in time. Try again.`);
    case 'too_many':
      return refusal(429, 'limit_reached', message);
    case 'not_allowed':
    case 'not_found':
      return refusal(502, 'target_unreachable', `The agent has no address for ${host}: ${message}`);
  }
}

export function isRefusal(value: object | undefined): value is Refusal {
  return value !== undefined && 'status' in value && 'close' in value;
}

export const AUDIT_UNAVAILABLE = refusal(
  503,
  'audit_unavailable',
  'The audit log cannot be written right now, and nothing is forwarded without a record. Try again in a moment; if it stays, tell whoever runs this relay.',
);
export const AUTHORITY_UNAVAILABLE = refusal(
  503,
  'database_unavailable',
  'Your session cannot be checked right now, so nothing was forwarded. Try again in a moment.',
);
export const NO_AGENT = refusal(
  503,
  'tunnel_closed',
  'No agent that leads there is connected, so nothing was sent. Try again in a moment; if it stays, tell whoever runs it.',
);
export const POOL_FULL = refusal(
  503,
  'limit_reached',
  'Too many requests to this app are under way, and none ended within a second. Close what you do not need, then try again.',
);
export const SESSION_FULL = refusal(
  429,
  'limit_reached',
  'Your session has too many open requests and connections. Close what you do not need, then try again.',
);
export const TOO_MANY_REQUESTS = refusal(
  429,
  'limit_reached',
  'Too many requests came in a short time. Wait a moment, then go on more slowly.',
);
export const BODY_TOO_LARGE = refusal(
  413,
  'limit_reached',
  'The request is larger than this app takes. Send less at once, or ask whoever runs the app to raise its limit.',
);
export const GAP_UNSETTLED = refusal(
  503,
  'aborted',
  'What you may do here changed several times while the request waited, so it was not sent. Try again.',
);
export const TARGET_UNREACHABLE = refusal(
  502,
  'target_unreachable',
  'What you asked for does not answer: its agent could not connect to it, or it broke off. Try again; if it stays, tell whoever runs it.',
);
export const TARGET_TIMED_OUT = refusal(
  504,
  'timeout',
  'What you asked for took too long to answer. Try again; if it stays, tell whoever runs it.',
);
export const SESSION_ENDED = refusal(401, 'unauthenticated', 'Your session has ended. Sign in again: postern login');
export const NO_RESOURCE = refusal(
  404,
  'not_found',
  'There is no such resource that takes connections. What you may reach is listed by: postern ls',
);
export const NO_NETWORK = refusal(
  404,
  'not_found',
  'No network of this relay leads to this destination, or its agent is not connected. What you may reach is listed by: postern ls',
);
export const UNREADABLE_DESTINATION = refusal(
  400,
  'request_invalid',
  'A destination is a name or an address, and a port: db1.lan:5432, 10.0.0.7:22 or [fd00::7]:22.',
);
export const CONNECTIONS_FULL = refusal(
  503,
  'limit_reached',
  'As many connections to this resource are open as the relay takes. Close what you do not need, then try again.',
);
export const LEASES_FULL = refusal(
  429,
  'limit_reached',
  'You have leased as many ports as you may. End one, or wait until one has ended and rested for a minute: postern lease ls',
);
export const NO_LEASE_PORT = refusal(
  503,
  'limit_reached',
  'All ports that the relay leases are taken or rest. Try again in a minute.',
);
export const RELAY_STOPPING = refusal(503, 'aborted', 'The relay is stopping. Try again in a moment.');
export const NOT_FOUND = refusal(404, 'not_found', 'There is nothing at this address.');
export const REDEEM_REFUSED = refusal(
  400,
  'sign_in_refused',
  'This sign-in link does not belong to this browser, or it was used or has expired. Open the app again to sign in afresh.',
);
