import { AUDIT_FIELDS, type AuditField, type AuditFilter } from '../domain/audit-search.ts';
import { PosternError } from '../lib/errors.ts';
import { UUID } from '../lib/id.ts';
import { parseMoment } from './moment.ts';

/** Longest query; longer ones are refused. */
const MAX_LENGTH = 1_000;
/** Most terms: each is looked for in every record, while appends wait. */
const MAX_TERMS = 24;
/** field:value, where the value, or a word, may stand in quotes; \" within them. */
const TERM = /(?:([A-Za-z][A-Za-z-]*):)?(?:"((?:[^"\\]|\\.)*)"|(\S+))/y;

/** `column` counts from 1. */
export class QueryError extends PosternError {
  readonly column: number;
  constructor(column: number, message: string) {
    super('request_invalid', `Column ${column}: ${message}`);
    this.column = column;
  }
}

/**
 * The search language of the audit log: `who:alice@example.com effect:deny since:2026-11-20 wiki`. Terms are separated
 * by spaces and all must match; a field given twice matches either value. Throws QueryError.
 */
export function parseAuditQuery(text: string, nowMs: number): AuditFilter {
  if (text.length > MAX_LENGTH) throw new QueryError(MAX_LENGTH, `A query has at most ${MAX_LENGTH} characters.`);
  const fields: Partial<Record<AuditField, string[]>> = {};
  const words: string[] = [];
  const span: { since?: number; until?: number } = {};

  let terms = 0;
  for (const term of readTerms(text)) {
    terms += 1;
    if (terms > MAX_TERMS) throw new QueryError(term.column, `A query has at most ${MAX_TERMS} terms.`);
    const { name, value, column, valueColumn } = term;
    if (name === undefined) words.push(value);
    else if (value === '') throw new QueryError(valueColumn, `A value is missing after "${name}:".`);
    else if (name === 'since' || name === 'until') span[name] = readMoment(name, value, valueColumn, nowMs);
    else {
      const field = AUDIT_FIELDS.find((known) => known === name);
      if (!field) throw new QueryError(column, unknownField(name));
      const values = fields[field] ?? [];
      values.push(readValue(field, value, valueColumn));
      fields[field] = values;
    }
  }
  return { fields, words, ...span };
}

interface Term {
  readonly name: string | undefined;
  readonly value: string;
  readonly column: number;
  readonly valueColumn: number;
}

function* readTerms(text: string): Generator<Term> {
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    TERM.lastIndex = at;
    const match = TERM.exec(text);
    const [whole = '', name, quoted, plain] = match ?? [];
    const next = text.charAt(at + whole.length);
    if (plain?.startsWith('"') || (next !== '' && !/\s/.test(next))) {
      throw new QueryError(at + 1, 'A quotation mark has no partner. Put the whole value in quotes, with \\" inside.');
    }
    const valueColumn = at + 1 + (name === undefined ? 0 : name.length + 1);
    // `who:` alone reads as the word "who:".
    const lonely = name === undefined && plain !== undefined && /^[A-Za-z][A-Za-z-]*:$/.test(plain);
    if (lonely) throw new QueryError(at + whole.length + 1, `A value is missing after "${plain}".`);
    yield {
      name: name?.toLowerCase(),
      value: quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '',
      column: at + 1,
      valueColumn,
    };
    at += whole.length;
  }
}

function readValue(field: AuditField, value: string, column: number): string {
  if (field === 'id' && !UUID.test(value.toLowerCase())) {
    throw new QueryError(column, 'A reference id is a UUID, 36 characters.');
  }
  if (field === 'effect' && value !== 'allow' && value !== 'deny') {
    throw new QueryError(column, 'An effect is allow or deny.');
  }
  if (field === 'kind' && value === 'access.outcome') {
    throw new QueryError(column, 'Outcomes are shown with their intents: search for kind:access.intent.');
  }
  if (field === 'method') return value.toUpperCase();
  return field === 'id' || field === 'host' ? value.toLowerCase() : value;
}

function readMoment(name: 'since' | 'until', value: string, column: number, nowMs: number): number {
  const moment = parseMoment(value, nowMs);
  if (!moment)
    throw new QueryError(column, 'Write a time as 2026-11-20, 2026-11-20T14:30Z, or as an age: 30m, 8h, 7d.');
  return name === 'since' ? moment.start : moment.end;
}

function unknownField(name: string): string {
  const near = AUDIT_FIELDS.find((field) => field.startsWith(name.slice(0, 2)));
  const known = [...AUDIT_FIELDS, 'since', 'until'].join(', ');
  return `There is no field "${name}". ${near ? `Did you mean ${near}? ` : ''}Fields are ${known}; quote a word that has a colon.`;
}
