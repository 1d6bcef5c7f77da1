import type { AnswerHead } from '../../../src/gateway/target/http/answer-head.ts';
import { type AnswerParts, AnswerReader } from '../../../src/gateway/target/http/answer-reader.ts';

export interface ReadAnswer {
  readonly interims: AnswerHead[];
  head: AnswerHead | undefined;
  body: string;
  trailers: readonly string[];
  persists: boolean;
  rest: string | undefined;
  state: AnswerReader['state'];
}

/** Reads an answer in these pieces, then the end where `ends`. Throws as the reader does. */
export function readAnswer(
  pieces: readonly string[],
  { method = 'GET', upgrade = false, ends = false }: { method?: string; upgrade?: boolean; ends?: boolean } = {},
): ReadAnswer {
  const read: ReadAnswer = {
    interims: [],
    head: undefined,
    body: '',
    trailers: [],
    persists: false,
    rest: undefined,
    state: 'head',
  };
  const parts: AnswerParts = {
    interim: (head) => void read.interims.push(head),
    head(head) {
      read.head = head;
    },
    data(data) {
      read.body += data.toString('latin1');
    },
  };
  const reader = new AnswerReader({ method, upgrade }, parts);
  for (const piece of pieces) {
    if (reader.state === 'ended' || reader.state === 'switched') break;
    reader.read(Buffer.from(piece, 'latin1'));
  }
  if (ends && reader.state !== 'ended') reader.readEnd();
  const { state, persists, trailers, rest } = reader;
  return Object.assign(read, { state, persists, trailers, rest: rest?.toString('latin1') });
}

/** The text in pieces of the given lengths, repeated. */
export function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, turn = 0; at < text.length; turn += 1) {
    const length = Math.max(1, lengths[turn % Math.max(1, lengths.length)] ?? text.length);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}
