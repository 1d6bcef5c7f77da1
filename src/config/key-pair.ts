import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { messageOf, PosternError } from '../lib/errors.ts';

/** A certificate with its chain and its key, as PEM, proven to belong together. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
  /** The first certificate: the one for our hosts. */
  readonly leaf: X509Certificate;
}

/** Throws `config_invalid` for files that cannot be read or do not belong together. Expiry is the caller's to look at. */
export function loadKeyPair(certificateFile: string, keyFile: string): KeyPair {
  const certificate = read(certificateFile, 'certificate');
  const key = read(keyFile, 'key');
  try {
    const leaf = new X509Certificate(certificate);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not the key of the certificate');
    createSecureContext({ cert: certificate, key });
    return { certificate, key, leaf };
  } catch (cause) {
    throw new PosternError(
      'config_invalid',
      `The certificate ${certificateFile} and the key ${keyFile} cannot be used: ${messageOf(cause)}. Both are PEM; the certificate of this host comes first, then its chain.`,
      { cause },
    );
  }
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PosternError(
      'config_invalid',
      `The ${what} file ${file} cannot be read by this user. Is the path right, and may the user read it?`,
      { cause },
    );
  }
}
