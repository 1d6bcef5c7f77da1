import type { AnswerHead } from './answer-head.ts';
import { BadAnswerError } from './bad-answer.ts';

/** Where an answer ends (RFC 9112 §6.3), and what becomes of the connection then. */
export interface AnswerFraming {
  /** `closed`: the end of the connection is the end of the body. */
  readonly body: 'none' | 'length' | 'chunked' | 'closed';
  /** Bytes of a body with a length. */
  readonly length: number;
  /** The connection may carry another request after this answer. */
  readonly persists: boolean;
  /** For how long it may be idle before that, where the target says so. */
  readonly keepAliveMs: number | undefined;
}

/** What of a head decides about framing. */
interface Said {
  length: string | undefined;
  coding: string | undefined;
  connection: string | undefined;
  keepAlive: string | undefined;
}

/** Up to 2^53 − 1, without sign, list or leading text. */
const LENGTH = /^\d{1,15}$/;
const CLOSE = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i;
const KEEP_ALIVE = /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i;
const TIMEOUT = /(?:^|[,;\t ])timeout="?(\d{1,6})/i;

/** Throws BadAnswerError where two readers could find two ends, and for codings that we do not undo. */
export function frameAnswer(head: AnswerHead, method: string): AnswerFraming {
  const said = readSaid(head.fields);
  const { length, coding } = said;
  if (coding !== undefined && length !== undefined) {
    throw new BadAnswerError('The target states the length of its answer in two ways.');
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    throw new BadAnswerError('The target uses a transfer coding other than chunked.');
  }
  if (length !== undefined && !LENGTH.test(length)) {
    throw new BadAnswerError('The target sent a Content-Length that is no number.');
  }
  const bytes = length === undefined ? 0 : Number(length);
  const keepAliveMs = readTimeout(said.keepAlive);
  const persists = wantsMore(head, said.connection);
  if (method === 'HEAD') return { body: 'none', length: 0, persists, keepAliveMs };
  if (head.status === 204 || head.status === 304) {
    // What may follow all the same would be taken for the next answer; of a 304 the length is that of the 200.
    const isSilent = coding === undefined && (bytes === 0 || head.status === 304);
    return { body: 'none', length: 0, persists: persists && isSilent, keepAliveMs };
  }
  if (coding !== undefined) return { body: 'chunked', length: 0, persists: persists && head.minor === 1, keepAliveMs };
  if (length === undefined) return { body: 'closed', length: 0, persists: false, keepAliveMs };
  return { body: bytes === 0 ? 'none' : 'length', length: bytes, persists, keepAliveMs };
}

/** RFC 9110 §7.8: a 101 names what it switches to. */
export function switchesToWebSocket({ fields }: AnswerHead): boolean {
  let connection = '';
  let upgrade: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]?.toLowerCase();
    if (name === 'connection') connection += `,${fields[at + 1]}`;
    else if (name === 'upgrade') upgrade = upgrade === undefined ? fields[at + 1] : `${upgrade},${fields[at + 1]}`;
  }
  return upgrade?.toLowerCase() === 'websocket' && /(?:^|,)[\t ]*upgrade[\t ]*(?:,|$)/i.test(connection);
}

function readSaid(fields: readonly string[]): Said {
  const said: Said = { length: undefined, coding: undefined, connection: undefined, keepAlive: undefined };
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    // By length first: most fields are none of these.
    switch (name.length) {
      case 10: {
        const lower = name.toLowerCase();
        if (lower === 'connection') said.connection = joined(said.connection, value);
        else if (lower === 'keep-alive') said.keepAlive = joined(said.keepAlive, value);
        break;
      }
      case 14:
        // Two of them become a list, which is no number.
        if (name.toLowerCase() === 'content-length') said.length = joined(said.length, value);
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') said.coding = joined(said.coding, value);
        break;
    }
  }
  return said;
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}

function wantsMore({ minor }: AnswerHead, connection: string | undefined): boolean {
  if (connection === undefined) return minor === 1;
  return !CLOSE.test(connection) && (minor === 1 || KEEP_ALIVE.test(connection));
}

function readTimeout(keepAlive: string | undefined): number | undefined {
  const seconds = keepAlive === undefined ? undefined : TIMEOUT.exec(keepAlive)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
