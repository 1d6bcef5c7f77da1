import { BadAnswerError } from './bad-answer.ts';

/** Head of an answer as it came: RFC 9112 §4 and §5 without what they allow to be read leniently. */
export interface AnswerHead {
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
  readonly status: number;
  readonly reason: string;
  /** Flat name-value list, in order; values without surrounding blanks. Bytes beyond ASCII are Latin-1 characters. */
  readonly fields: string[];
}

/** Fields of one answer at most. */
const MAX_FIELDS = 1_000;

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n/;
/** No blank before the colon, no folding, no control character: what follows a line is the next one's name, or nothing. */
const FIELDS = /(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/y;

/** The text ends with the empty line. Throws BadAnswerError. */
export function parseAnswerHead(text: string): AnswerHead {
  const line = STATUS_LINE.exec(text);
  if (line === null) throw new BadAnswerError('The target sent no status line of HTTP/1.0 or 1.1.');
  const [{ length }, minor, status, reason = ''] = line;
  return { minor: minor === '0' ? 0 : 1, status: Number(status), reason, fields: parseFields(text, length) };
}

/** Fields from `at` up to the empty line that ends the text. Throws BadAnswerError. */
export function parseFields(text: string, at: number): string[] {
  FIELDS.lastIndex = at;
  if (!FIELDS.test(text)) throw new BadAnswerError('The target sent a header line that is none.');
  const fields: string[] = [];
  const last = text.length - 2;
  let start = at;
  while (start < last) {
    const colon = text.indexOf(':', start);
    const end = text.indexOf('\r', colon);
    if (fields.length >= MAX_FIELDS * 2) throw new BadAnswerError(`The target sent more than ${MAX_FIELDS} fields.`);
    fields.push(text.slice(start, colon), withoutBlanks(text, colon + 1, end));
    start = end + 2;
  }
  return fields;
}

/** SP and HTAB only: `trim` would also take characters that are bytes of the value. */
function withoutBlanks(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
