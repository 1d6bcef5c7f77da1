import { readFile } from 'node:fs/promises';
import type { KeyPairFiles } from '../config/certificates.ts';
import { type KeyPair, loadKeyPair } from '../config/key-pair.ts';
import { sha256Hex } from '../lib/bytes.ts';
import { messageOf } from '../lib/errors.ts';
import type { Logger } from '../lib/log.ts';
import { pause } from '../lib/wait.ts';

/** How often the files are looked at. Looking follows symbolic links, so a swapped link counts as a change. */
const LOOK_MS = 5_000;
/** A certificate that ends within this time is worth a warning at each start and renewal. */
const SOON_MS = 14 * 86_400_000;

export interface CertificateWatch {
  readonly files: KeyPairFiles;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly lookMs?: number;
  /** Called with each valid new pair. */
  onRenewed(pair: KeyPair): void;
}

/**
 * Follows one certificate's files until aborted. A pair that cannot be used is said once in the log and changes nothing;
 * so does the moment in which a renewal has written only one of two files.
 */
export async function followCertificate(watch: CertificateWatch): Promise<void> {
  const { files, log, signal, lookMs = LOOK_MS } = watch;
  let seen = await fingerprint(files);
  let refused: string | undefined;
  while (!signal.aborted) {
    await pause(lookMs, signal);
    const now = await fingerprint(files);
    if (signal.aborted || now === seen || now === refused) continue;
    try {
      const pair = loadKeyPair(files.certificateFile, files.keyFile);
      watch.onRenewed(pair);
      seen = now;
      refused = undefined;
      log.info({ expires: pair.leaf.validTo, names: pair.leaf.subjectAltName }, 'a new certificate is in force');
      warnOfExpiry(pair, log);
    } catch (error) {
      refused = now;
      log.error(
        { file: files.certificateFile, error: messageOf(error) },
        'the changed certificate was refused; the old one stays',
      );
    }
  }
}

export function warnOfExpiry({ leaf }: KeyPair, log: Logger): void {
  const leftMs = leaf.validToDate.getTime() - Date.now();
  if (leftMs < 0)
    log.error({ expired: leaf.validTo, names: leaf.subjectAltName }, 'the certificate has expired; browsers refuse it');
  else if (leftMs < SOON_MS)
    log.warn({ expires: leaf.validTo, names: leaf.subjectAltName }, 'the certificate expires soon');
}

/** Of the contents, or of what keeps them from being read. */
async function fingerprint({ certificateFile, keyFile }: KeyPairFiles): Promise<string> {
  const parts = [certificateFile, keyFile].map((file) =>
    readFile(file).then(sha256Hex, (error: unknown) => messageOf(error)),
  );
  return (await Promise.all(parts)).join(' ');
}
