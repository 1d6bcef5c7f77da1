import { Type } from 'typebox';
import type { Principal } from '../../domain/principal.ts';

/** Of one address: a whole office may share one. */
export const RATE = { max: 60, timeWindow: 60_000 } as const;

/** How a machine calls itself; people read it before they agree. */
export const Machine = Type.String({ minLength: 1, maxLength: 64, pattern: '^[\\x20-\\x7e]+$' });

/** What a command line keeps. */
export const Redeemed = Type.Object({ token: Type.String(), expiresAt: Type.Integer(), person: Type.String() });

export function labelOf(principal: Principal): string {
  return principal.email ?? principal.name ?? principal.subject;
}
