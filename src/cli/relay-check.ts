import { loadRelayConfig } from '../config/relay-config.ts';
import { loadPolicy } from '../policy/load-policy.ts';
import type { Finding } from '../relay/check/finding.ts';
import { type CheckedStep, runChecks } from '../relay/check/run-checks.ts';

export interface RelayCheck {
  readonly ok: boolean;
  readonly findings: readonly (Finding & { readonly step: string })[];
  /** One line per finding, ✓ or ✗, and under each ✗ what to do. */
  readonly text: string;
}

/** The configuration, its policy, and the world that they need. Throws `config_invalid` or `policy_invalid` for files with mistakes. */
export async function relayCheck(file: string): Promise<RelayCheck> {
  const config = loadRelayConfig(file);
  const { ruleSet } = loadPolicy(config.policy.directory, {
    resources: config.resources,
    issuer: config.provider.issuer,
  });
  const files: CheckedStep = {
    title: 'Configuration',
    findings: [
      {
        ok: true,
        text: `${file}: resources ${config.resources.length}, agents ${config.agents.length}, rules ${ruleSet.rules.length}`,
      },
    ],
  };
  const steps = [files, ...(await runChecks(config))];
  const findings = steps.flatMap((step) => step.findings.map((finding) => ({ step: step.title, ...finding })));
  const wrong = findings.filter(({ ok }) => !ok).length;
  const summary = wrong === 0 ? 'Everything is in place.' : `${wrong} to put right.`;
  return { ok: wrong === 0, findings, text: `${steps.map(linesOf).join('\n')}\n\n${summary}\n` };
}

function linesOf({ title, findings }: CheckedStep): string {
  return findings
    .map((finding) =>
      finding.ok ? `✓ ${title}: ${finding.text}` : `✗ ${title}: ${finding.text}\n    ${finding.advice}`,
    )
    .join('\n');
}
