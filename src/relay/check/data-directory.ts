import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RelayConfig } from '../../config/relay-config.ts';
import { type Finding, right, wrong } from './finding.ts';

/** It holds private keys: this user alone may look into it. */
export async function checkDataDirectory({ dataDir }: RelayConfig): Promise<Finding[]> {
  const found = await stat(dataDir).catch(() => undefined);
  if (!found) {
    const parent = dirname(dataDir);
    return [
      (await mayWrite(parent))
        ? right(`${dataDir} will be created`)
        : wrong(`${dataDir} is not there, and ${parent} cannot be written`, creation(dataDir)),
    ];
  }
  if (!found.isDirectory()) return [wrong(`${dataDir} is not a directory`, 'Choose another dataDir.')];
  const findings = [
    (await mayWrite(dataDir))
      ? right(`${dataDir} can be written`)
      : wrong(`${dataDir} cannot be written by this user`, creation(dataDir)),
  ];
  const uid = process.getuid?.();
  if (uid !== undefined && found.uid !== uid)
    findings.push(wrong(`${dataDir} belongs to another user (${found.uid})`, creation(dataDir)));
  // Windows has no such bits.
  if (uid !== undefined && (found.mode & 0o077) !== 0)
    findings.push(
      wrong(`others may look into ${dataDir}, which holds keys`, `chmod 700 ${dataDir} (it is ${octal(found.mode)})`),
    );
  return findings;
}

async function mayWrite(path: string): Promise<boolean> {
  return access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

function creation(path: string): string {
  return `As root: install -d -m 700 -o <the relay's user> ${path}`;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
