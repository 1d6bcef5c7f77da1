import { sha256Hex } from '../lib/bytes.ts';
import { Secret } from '../lib/secret.ts';

/** Hex SHA-256 over a value with its keys in order; secrets count as `[secret]`. */
export function hashOf(value: unknown): string {
  return sha256Hex(canonical(value));
}

/**
 * What changed from one configuration to the next, one line per value: `+ resources.wiki`, `- agents.office`,
 * `~ sessions.idleMs 3600000 → 28800000`. Lists of named entries are compared by name.
 */
export function differenceOf(before: object | undefined, after: object): string[] {
  return compare(before ?? {}, after, '')
    .filter((line) => !/^[+~-] hash( |$)/.test(line))
    .toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1));
}

function compare(before: unknown, after: unknown, path: string): string[] {
  const left = entriesOf(before);
  const right = entriesOf(after);
  if (!left || !right) {
    if (canonical(before) === canonical(after)) return [];
    return [`~ ${path} ${canonical(before)} → ${canonical(after)}`];
  }
  const lines: string[] = [];
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const here = path === '' ? key : `${path}.${key}`;
    const old = left.get(key);
    const now = right.get(key);
    if (old === undefined && now === undefined) continue;
    if (old === undefined) lines.push(`+ ${here}`);
    else if (now === undefined) lines.push(`- ${here}`);
    else lines.push(...compare(old, now, here));
  }
  return lines;
}

/** Keys and values of a mapping, or of a list whose entries have names; undefined for anything else. */
function entriesOf(value: unknown): Map<string, unknown> | undefined {
  if (Array.isArray(value)) {
    const named = value.map((each: unknown) => [nameOf(each), each] as const);
    return named.every((entry): entry is [string, unknown] => entry[0] !== undefined) && named.length > 0
      ? new Map(named)
      : undefined;
  }
  if (typeof value !== 'object' || value === null || value instanceof Secret) return undefined;
  return new Map(Object.entries(value));
}

function nameOf(value: unknown): string | undefined {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string'
    ? value.name
    : undefined;
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : each,
    ) ?? 'none'
  );
}
