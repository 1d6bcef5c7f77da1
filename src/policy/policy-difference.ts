import { hashOf } from '../config/difference.ts';
import type { RuleSet } from './rule.ts';

/** One line per change: `+ rule x`, `~ group y`, `- rule z`; `~ order` when only the order of rules differs. */
export function policyDifference(before: RuleSet | undefined, after: RuleSet): string[] {
  const lines = [
    ...compare(
      'rule',
      byKey(before?.rules ?? [], (rule) => rule.id),
      byKey(after.rules, (rule) => rule.id),
    ),
    ...compare(
      'group',
      byKey(before?.groups ?? [], (group) => group.name),
      byKey(after.groups, (group) => group.name),
    ),
  ];
  if (lines.length > 0 || !before) return lines;
  const sameOrder = before.rules.every((rule, at) => rule.id === after.rules[at]?.id);
  return sameOrder ? [] : ['~ order of rules'];
}

/** By what they say: the database gives back what it kept with its keys in another order. */
function byKey<T>(entries: readonly T[], keyOf: (entry: T) => string): ReadonlyMap<string, string> {
  return new Map(entries.map((entry) => [keyOf(entry), hashOf(entry)]));
}

function compare(word: string, before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  const lines: string[] = [];
  for (const [key, hash] of after) {
    const old = before.get(key);
    if (old === undefined) lines.push(`+ ${word} ${key}`);
    else if (old !== hash) lines.push(`~ ${word} ${key}`);
  }
  for (const key of before.keys()) if (!after.has(key)) lines.push(`- ${word} ${key}`);
  return lines;
}
