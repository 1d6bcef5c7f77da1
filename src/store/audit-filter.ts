import type { AuditField, AuditFilter } from '../domain/audit-search.ts';

export interface Condition {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * The filter as SQL over audit_record, its parameters numbered from `first`. Leaves and personal blocks are canonical
 * JSON, so `"resource":"wiki"` is found as text where it is a member, and nowhere else: within a string its quotes
 * would be escaped.
 */
export function compileFilter(filter: AuditFilter, first: number): Condition {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${first + values.push(value) - 1}`;
  const conditions = [`strpos(leaf, '"kind":"access.outcome"') = 0`];
  for (const [field, wanted] of Object.entries(filter.fields) as [AuditField, readonly string[]][]) {
    conditions.push(`(${wanted.map((value) => compileField(field, value, bind)).join(' OR ')})`);
  }
  for (const word of filter.words) {
    const escaped = bind(JSON.stringify(word.toLowerCase()).slice(1, -1));
    conditions.push(`(strpos(lower(leaf), ${escaped}) > 0 OR strpos(lower(coalesce(personal, '')), ${escaped}) > 0)`);
  }
  return { text: conditions.join(' AND '), values };
}

/** First id of a moment: UUIDv7 begins with 48 bits of epoch ms. */
export function uuidAt(ms: number): string {
  const hex = Math.max(0, Math.min(ms, 2 ** 48 - 1))
    .toString(16)
    .padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function compileField(field: AuditField, value: string, bind: (value: unknown) => string): string {
  const member = (name: string, text = value): string => `${JSON.stringify(name)}:${JSON.stringify(text)}`;
  const inLeaf = (text: string): string => `strpos(leaf, ${bind(text)}) > 0`;
  const inPersonal = (text: string): string => `strpos(personal, ${bind(text)}) > 0`;
  switch (field) {
    case 'id':
      return `ref = ${bind(value)}::uuid`;
    case 'who':
      return [
        inPersonal(member('email', value.toLowerCase())),
        inPersonal(member('subject')),
        inPersonal(member('name')),
        inLeaf(member('principal')),
      ].join(' OR ');
    case 'path':
      return inPersonal(member('path').slice(0, -1));
    case 'destination':
      return inLeaf(member('destination').slice(0, -1));
    case 'address':
      return inPersonal(member('address'));
    case 'end':
      return `EXISTS (SELECT FROM audit_record o WHERE o.ref = audit_record.ref
        AND strpos(o.leaf, '"kind":"access.outcome"') > 0 AND strpos(o.leaf, ${bind(member('end'))}) > 0)`;
    case 'kind':
    case 'resource':
    case 'effect':
    case 'session':
    case 'host':
    case 'method':
    case 'rule':
    case 'agent':
      return inLeaf(member(field));
  }
}
