/**
 * The filters are a view of the query's text: they read and rewrite single `field:value` terms and leave the rest as it is.
 * A value with anything but plain characters stands in double quotes, `\` escapes.
 */

export type FilterField = 'person' | 'resource' | 'effect' | 'kind' | 'after';

const TERM = /(-?)(?:([a-z_.]+):)?("(?:[^"\\]|\\.)*"?|[^\s"]+)/sy;

interface Term {
  readonly text: string;
  readonly negated: boolean;
  readonly field: string | undefined;
  readonly value: string;
}

/** Value of the first plain term of this field; empty when there is none. */
export function readFilter(query: string, field: FilterField): string {
  return terms(query).find((term) => term.field === field && !term.negated)?.value ?? '';
}

/** The query with this field's first plain term replaced, added, or (for an empty value) removed. */
export function writeFilter(query: string, field: FilterField, value: string): string {
  const written = value === '' ? [] : [`${field}:${quote(value)}`];
  const all = terms(query);
  const at = all.findIndex((term) => term.field === field && !term.negated);
  const texts = all.map((term) => term.text);
  const changed = at === -1 ? [...texts, ...written] : texts.toSpliced(at, 1, ...written);
  return changed.join(' ');
}

function terms(query: string): Term[] {
  const found: Term[] = [];
  for (const part of splitWords(query)) {
    TERM.lastIndex = 0;
    const match = TERM.exec(part);
    const raw = match?.[3] ?? part;
    found.push({ text: part, negated: match?.[1] === '-', field: match?.[2], value: unquote(raw) });
  }
  return found;
}

/** At white space outside of quotes. */
function splitWords(query: string): string[] {
  return query.match(/(?:[^\s"]|"(?:[^"\\]|\\.)*"?)+/gs) ?? [];
}

function quote(value: string): string {
  return /^[\w.@/:+-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function unquote(raw: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)/s.exec(raw)?.[1];
  return inner === undefined ? raw : inner.replace(/\\(.)/gs, '$1');
}
