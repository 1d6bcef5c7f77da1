/**
 * RFC 8785 (JCS): keys sorted by UTF-16 units, no spaces, numbers as ECMAScript writes them. Undefined members are left
 * out. Lone surrogates and U+0000 become U+FFFD: other languages, and PostgreSQL, cannot carry them. Throws RangeError.
 */
export function canonical(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(cleanText(value));
  if (typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'number' && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value);
  throw new RangeError(`A ${typeof value} has no canonical form.`);
}

/** `canonical` for leaves and personal blocks: no null, and integers within ±(2^53 − 1), the same in every language. */
export function canonicalRecord(value: unknown): string {
  refuseUnportable(value);
  return canonical(value);
}

function cleanText(text: string): string {
  return text.isWellFormed() && !text.includes('\0') ? text : text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** `JSON.stringify` escapes what `cleanText` replaces, and nothing else of ours like this (or a harmless likeness). */
export function mayNeedCleaning(json: string): boolean {
  return json.includes('\\ud') || json.includes('\\u0000');
}

function canonicalObject(value: object): string {
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined) members.push(`${JSON.stringify(cleanText(key))}:${canonical(member)}`);
  }
  return `{${members.join(',')}}`;
}

function refuseUnportable(value: unknown): void {
  if (value === null || (typeof value === 'number' && !Number.isSafeInteger(value))) {
    throw new RangeError(`${String(value)} cannot stand in a record.`);
  }
  if (typeof value === 'object') for (const member of Object.values(value)) refuseUnportable(member);
}
