import type { RelayConfig } from '../../config/relay-config.ts';
import { messageOf } from '../../lib/errors.ts';
import { checkCertificates } from './certificates.ts';
import { checkDataDirectory } from './data-directory.ts';
import { checkDatabase } from './database.ts';
import { checkNames } from './dns.ts';
import { type Finding, wrong } from './finding.ts';
import { checkPorts } from './ports.ts';
import { checkProvider } from './provider.ts';

export interface CheckedStep {
  readonly title: string;
  readonly findings: readonly Finding[];
}

type Check = (config: RelayConfig) => Promise<readonly Finding[]>;

const CHECKS: readonly (readonly [title: string, check: Check])[] = [
  ['Names', checkNames],
  ['Certificate', checkCertificates],
  ['Provider and clock', checkProvider],
  ['Database', checkDatabase],
  ['Data directory', checkDataDirectory],
  ['Ports', checkPorts],
];

/** Looks at what a relay with this configuration needs from the world around it. Changes nothing; each step has its own time limit. */
export function runChecks(config: RelayConfig): Promise<CheckedStep[]> {
  return Promise.all(
    CHECKS.map(async ([title, check]) => ({
      title,
      findings: await check(config).catch((error: unknown) => [
        wrong(`could not be checked: ${messageOf(error)}`, 'Look at the message; it is not one that was expected.'),
      ]),
    })),
  );
}
