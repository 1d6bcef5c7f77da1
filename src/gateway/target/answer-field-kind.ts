/** What a field of a target's answer is to us, by its name alone. */
export type AnswerFieldKind = 'pass' | 'hop' | 'connection' | 'set-cookie' | 'clear-site-data';

/** RFC 9110 §7.6.1, and what clients have no use for. */
const KINDS: ReadonlyMap<string, AnswerFieldKind> = new Map<string, AnswerFieldKind>([
  ['clear-site-data', 'clear-site-data'],
  ['connection', 'connection'],
  ['expect', 'hop'],
  ['http2-settings', 'hop'],
  ['keep-alive', 'hop'],
  ['proxy-authenticate', 'hop'],
  ['proxy-authorization', 'hop'],
  ['proxy-connection', 'hop'],
  ['set-cookie', 'set-cookie'],
  ['te', 'hop'],
  ['trailer', 'hop'],
  ['transfer-encoding', 'hop'],
  ['upgrade', 'hop'],
]);
/** Most names have another length than all of these. */
const LENGTHS: readonly boolean[] = Array.from({ length: 20 }, (_, length) =>
  [...KINDS.keys()].some((name) => name.length === length),
);

export function answerFieldKind(name: string): AnswerFieldKind {
  return LENGTHS[name.length] === true ? (KINDS.get(name.toLowerCase()) ?? 'pass') : 'pass';
}
