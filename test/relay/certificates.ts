import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** A self-signed certificate for these hosts, by openssl. */
export function makeCertificate(
  directory: string,
  name: string,
  hosts: readonly string[],
  days = 30,
): CertificateFiles {
  const certificateFile = join(directory, `${name}.pem`);
  const keyFile = join(directory, `${name}.key`);
  const names = hosts.map((host) => `DNS:${host}`).join(',');
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days)].concat([
      ...['-keyout', keyFile, '-out', certificateFile, '-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`],
    ]),
    { stdio: 'ignore' },
  );
  return { certificateFile, keyFile };
}
