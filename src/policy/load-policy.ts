import type { Policy } from '../domain/decision.ts';
import type { Resource } from '../domain/resource.ts';
import { compilePolicy } from './compile.ts';
import { parsePolicy } from './parse-policy.ts';
import { type PolicyFile, readPolicyFiles } from './policy-files.ts';
import type { RuleSet } from './rule.ts';

/** What rules refer to. */
export interface Surroundings {
  readonly resources: readonly Resource[];
  /** Agents may bring resources that are not among them; then a rule may name one before it is there. */
  readonly mayAnnounce?: () => boolean;
  /** The provider's issuer: whose groups and people the rules mean. */
  readonly issuer: string;
}

export interface LoadedPolicy {
  readonly policy: Policy;
  readonly ruleSet: RuleSet;
  /** `file:line:column: text` for what is allowed but probably not meant. */
  readonly warnings: readonly string[];
}

/** Reads, validates and compiles all rules of a directory. Throws `policy_invalid` with every problem, one per line. */
export function loadPolicy(directory: string, surroundings: Surroundings): LoadedPolicy {
  return buildPolicy(readPolicyFiles(directory), surroundings);
}

export function buildPolicy(files: readonly PolicyFile[], surroundings: Surroundings): LoadedPolicy {
  const { resources, issuer, mayAnnounce } = surroundings;
  const { rules, groups, warnings } = parsePolicy(files, resources, mayAnnounce?.());
  const ruleSet = { rules, groups };
  return { policy: compilePolicy(ruleSet, issuer), ruleSet, warnings };
}
