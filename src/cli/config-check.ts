import { readFileSync, statSync } from 'node:fs';
import { loadAgentConfig } from '../config/agent-config.ts';
import { loadRelayConfig } from '../config/relay-config.ts';
import { counted } from '../lib/counted.ts';
import { messageOf, PosternError } from '../lib/errors.ts';
import { loadPolicy } from '../policy/load-policy.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { readPolicyFiles, readPolicyTestFiles } from '../policy/policy-files.ts';
import { runPolicyTests } from '../policy/policy-tests.ts';
import { kindOfFile } from './file-kind.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** For a person: what was checked, or `file:line:column: problem` lines. */
  readonly text: string;
}

/**
 * Checks postern.yaml (with the policy it names, and that policy's tests), agent.yaml, one policy file or a directory of
 * them; which of these it is, its keys say. Nothing is started or written.
 */
export function configCheck(path: string): CheckResult {
  try {
    return checkByKind(path);
  } catch (error) {
    if (error instanceof PosternError) return { ok: false, text: error.message };
    return { ok: false, text: `${path}: ${messageOf(error)}` };
  }
}

function checkByKind(path: string): CheckResult {
  if (statSync(path).isDirectory()) return checkRules(path, readPolicyFiles(path));
  const text = readFileSync(path, 'utf8');
  const kind = kindOfFile(text);
  if (kind === 'policy') return checkRules(path, [{ file: path, text }]);
  if (kind === 'agent') {
    const agent = loadAgentConfig(path);
    return {
      ok: true,
      text: `${path}: agent "${agent.name}", ${counted(Object.keys(agent.targets).length, 'target')}.`,
    };
  }
  return checkRelay(path);
}

function checkRelay(path: string): CheckResult {
  const config = loadRelayConfig(path);
  const surroundings = { resources: config.resources, issuer: config.provider.issuer };
  const { directory } = config.policy;
  const loaded = loadPolicy(directory, surroundings);
  const tests = runPolicyTests(readPolicyTestFiles(directory), loaded, surroundings);
  const summary = `${path}: relay ${config.relay.origin}, ${counted(config.resources.length, 'resource')}, ${counted(config.agents.length, 'agent')}, ${counted(loaded.ruleSet.rules.length, 'rule')}, ${counted(tests.passed, 'policy test')} passed.`;
  const ok = tests.failures.length === 0;
  return { ok, text: [...warningLines(loaded.warnings), ...tests.failures, ...(ok ? [summary] : [])].join('\n') };
}

/** Rules alone: what they say about resources and tags is checked with postern.yaml. */
function checkRules(path: string, files: Parameters<typeof parsePolicy>[0]): CheckResult {
  const { rules, warnings } = parsePolicy(files, undefined);
  const summary = `${path}: ${counted(rules.length, 'rule')}. Check postern.yaml to compare them with its resources.`;
  return { ok: true, text: [...warningLines(warnings), summary].join('\n') };
}

function warningLines(warnings: readonly string[]): string[] {
  return warnings.map((line) => line.replace(/^(.*?:\d+:\d+: )/, '$1warning: '));
}
