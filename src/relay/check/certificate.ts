import { loadKeyPair } from '../../config/key-pair.ts';
import type { RelayConfig } from '../../config/relay-config.ts';
import { type Finding, right, wrong } from './finding.ts';

const DAY_MS = 86_400_000;
/** A renewal that works has happened long before. */
const RENEWED_BEFORE_DAYS = 7;

/** That it is good for every host, now and for a while. */
export function checkCertificate({ relay, resources }: RelayConfig): Promise<Finding[]> {
  if (!relay.tls) {
    const why = relay.origin.startsWith('https:') ? 'the proxy in front holds the certificate' : 'a trial without TLS';
    return Promise.resolve([right(`none here: ${why}`)]);
  }
  const { certificateFile, keyFile } = relay.tls;
  const { leaf } = loadKeyPair(certificateFile, keyFile);
  const leftDays = Math.floor((leaf.validToDate.getTime() - Date.now()) / DAY_MS);
  const expiry =
    leftDays >= RENEWED_BEFORE_DAYS
      ? right(`valid for ${leftDays} more days`)
      : wrong(
          leftDays < 0 ? `expired on ${leaf.validTo}` : `expires on ${leaf.validTo}`,
          `Renew it and put the new files in place of ${certificateFile} and ${keyFile}; a running relay takes them by itself.`,
        );
  const early =
    leaf.validFromDate.getTime() > Date.now()
      ? [wrong(`not valid before ${leaf.validFrom}`, 'Check the clock of this machine.')]
      : [];
  const hosts = [...new Set([relay.host, ...resources.flatMap(({ hosts }) => hosts)])];
  const names = hosts.map((host) =>
    leaf.checkHost(host)
      ? right(`names ${host}`)
      : wrong(`does not name ${host}`, `Get one that also names ${host}, or a wildcard that covers it.`),
  );
  return Promise.resolve([expiry, ...early, ...names]);
}
