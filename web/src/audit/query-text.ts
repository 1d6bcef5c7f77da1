/**
 * The filters are a view of the query's text in the search language of the audit log: they read and rewrite single
 * `field:value` terms and leave the rest as it is.
 */

export type FilterField = 'who' | 'resource' | 'effect' | 'kind' | 'since';

interface Term {
  readonly text: string;
  readonly field: string | undefined;
  readonly value: string;
}

/** Value of the first term of this field; empty when there is none. */
export function readFilter(query: string, field: FilterField): string {
  return terms(query).find((term) => term.field === field)?.value ?? '';
}

/** The query with this field's first term replaced, added, or (for an empty value) removed. */
export function writeFilter(query: string, field: FilterField, value: string): string {
  const written = value === '' ? [] : [`${field}:${quote(value)}`];
  const all = terms(query);
  const at = all.findIndex((term) => term.field === field);
  const texts = all.map((term) => term.text);
  return (at === -1 ? [...texts, ...written] : texts.toSpliced(at, 1, ...written)).join(' ');
}

/** At white space outside of quotes. */
function terms(query: string): Term[] {
  const found = query.matchAll(/(?:([a-z][a-z-]*):)?("(?:[^"\\]|\\.)*"?|\S+)/gis);
  return Array.from(found, ([text, field, raw = '']) => ({ text, field: field?.toLowerCase(), value: unquote(raw) }));
}

/** What could be read as more than one plain value stands in double quotes, where `\` escapes. */
function quote(value: string): string {
  return /^[\w.@/:+-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function unquote(raw: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)/s.exec(raw)?.[1];
  return inner === undefined ? raw : inner.replace(/\\(.)/gs, '$1');
}
