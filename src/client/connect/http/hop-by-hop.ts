import { HOP_BY_HOP } from '../../../lib/hop-by-hop.ts';

/** `Expect` and `Trailer` are not among them: what they ask of the other end passes. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'connection']);

export function isHopByHop(lower: string): boolean {
  return OF_ONE_HOP.has(lower);
}

/** Names that a Connection field lists, in lower case. */
export function connectionOptions(value: string | undefined): ReadonlySet<string> {
  return new Set((value ?? '').split(',').map((option) => option.trim().toLowerCase()));
}
