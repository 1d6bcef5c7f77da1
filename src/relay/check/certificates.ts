import type { KeyPairFiles } from '../../config/certificates.ts';
import { type KeyPair, loadKeyPair } from '../../config/key-pair.ts';
import type { RelayConfig } from '../../config/relay-config.ts';
import { certificateFor } from '../served-certificates.ts';
import { type Finding, right, wrong } from './finding.ts';

const DAY_MS = 86_400_000;
/** A renewal that works has happened long before. */
const RENEWED_BEFORE_DAYS = 7;

/** That each is good now and for a while, and that every host has one. */
export function checkCertificates({ relay, resources }: RelayConfig): Promise<Finding[]> {
  if (!relay.tls) {
    const why = relay.origin.startsWith('https:') ? 'the proxy in front holds the certificate' : 'a trial without TLS';
    return Promise.resolve([right(`none here: ${why}`)]);
  }
  const { certificates } = relay.tls;
  const several = certificates.length > 1;
  const loaded = certificates.map((files) => ({ files, ...loadKeyPair(files.certificateFile, files.keyFile) }));
  const times = loaded.flatMap((each) => checkTime(each, several ? `${each.files.certificateFile}: ` : ''));

  const hosts = [...new Set([relay.host, ...resources.flatMap(({ hosts }) => hosts)])];
  const names = hosts.map((host) => {
    const found = certificateFor(host, loaded);
    if (found) return right(several ? `${host} is in ${found.files.certificateFile}` : `names ${host}`);
    return several
      ? wrong(`none names ${host}`, `Add one to relay.tls.certificates that names ${host}, or a wildcard above it.`)
      : wrong(
          `does not name ${host}`,
          `Get one that also names ${host}, or a wildcard that covers it; or list several in relay.tls.certificates.`,
        );
  });
  return Promise.resolve([...times, ...names]);
}

function checkTime({ leaf, files }: KeyPair & { readonly files: KeyPairFiles }, which: string): Finding[] {
  const leftDays = Math.floor((leaf.validToDate.getTime() - Date.now()) / DAY_MS);
  const early =
    leaf.validFromDate.getTime() > Date.now()
      ? [wrong(`${which}not valid before ${leaf.validFrom}`, 'Check the clock of this machine.')]
      : [];
  const expiry =
    leftDays >= RENEWED_BEFORE_DAYS
      ? right(`${which}valid for ${leftDays} more days`)
      : wrong(
          `${which}${leftDays < 0 ? 'expired' : 'expires'} on ${leaf.validTo}`,
          `Renew it and put the new files in place of ${files.certificateFile} and ${files.keyFile}; a running relay takes them by itself.`,
        );
  return [expiry, ...early];
}
