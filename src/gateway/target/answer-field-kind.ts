import { HOP_BY_HOP } from '../../lib/hop-by-hop.ts';

/** What a field of a target's answer is to us, by its name alone. */
export type AnswerFieldKind = 'pass' | 'hop' | 'connection' | 'set-cookie' | 'clear-site-data';

/** Clients have no use for `Expect`, nor for `Trailer`: most get none. */
const KINDS: ReadonlyMap<string, AnswerFieldKind> = new Map<string, AnswerFieldKind>([
  ['clear-site-data', 'clear-site-data'],
  ['connection', 'connection'],
  ['set-cookie', 'set-cookie'],
  ...[...HOP_BY_HOP, 'expect', 'trailer'].map((name) => [name, 'hop'] as const),
]);
/** Most names have another length than all of these. */
const LENGTHS: readonly boolean[] = Array.from({ length: 20 }, (_, length) =>
  [...KINDS.keys()].some((name) => name.length === length),
);

export function answerFieldKind(name: string): AnswerFieldKind {
  return LENGTHS[name.length] === true ? (KINDS.get(name.toLowerCase()) ?? 'pass') : 'pass';
}
