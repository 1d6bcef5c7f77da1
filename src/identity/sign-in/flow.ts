import { randomBytes } from 'node:crypto';
import { dropCookie, FLOW_COOKIE_PREFIX, flowIdsOf, setCookie } from './cookies.ts';

/** How long a browser may take from the first redirect to the last. */
export const FLOW_LIFE_SECONDS = 600;

/** Flows that one browser may have open at one host, so that its Cookie header stays below what servers accept; the oldest goes first. */
export const MAX_FLOWS = 8;

/** Sorts by time, unguessable enough not to collide. */
export function newFlowId(nowMs: number): string {
  return `${nowMs.toString(16).padStart(12, '0')}-${randomBytes(8).toString('hex')}`;
}

/** The cookie of a new flow, and the removal of the oldest ones that it displaces. */
export function openFlowCookies(id: string, value: string, cookieHeader: string | undefined): string[] {
  const open = flowIdsOf(cookieHeader);
  const displaced = open.slice(0, Math.max(0, open.length + 1 - MAX_FLOWS));
  return [
    setCookie(FLOW_COOKIE_PREFIX + id, value, FLOW_LIFE_SECONDS),
    ...displaced.map((old) => dropCookie(FLOW_COOKIE_PREFIX + old)),
  ];
}

export function closeFlowCookie(id: string): string {
  return dropCookie(FLOW_COOKIE_PREFIX + id);
}
