import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { KeyPair } from '../config/key-pair.ts';
import { secureContext } from '../gateway/listener.ts';

/** What a server name may look like (RFC 6066 §3); for anything else there is no certificate anyway. */
const SERVER_NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/i;

/** The certificates in force, in the order of the configuration, each replaceable while connections go on. */
export class ServedCertificates {
  readonly #served: { readonly leaf: X509Certificate; readonly context: SecureContext }[];

  constructor(pairs: readonly KeyPair[]) {
    this.#served = pairs.map(prepare);
  }

  replace(at: number, pair: KeyPair): void {
    this.#served[at] = prepare(pair);
  }

  /** For the name that a client asks for (SNI); undefined where none has it: then the listener's own serves. */
  contextFor(serverName: string): SecureContext | undefined {
    return certificateFor(serverName, this.#served)?.context;
  }
}

/** The first that has the name itself, else the first with a wildcard over it (RFC 9525 §6.3). */
export function certificateFor<T extends { readonly leaf: X509Certificate }>(
  host: string,
  from: readonly T[],
): T | undefined {
  if (!SERVER_NAME.test(host)) return undefined;
  return (
    from.find(({ leaf }) => leaf.checkHost(host, { wildcards: false, subject: 'never' }) !== undefined) ??
    from.find(({ leaf }) => leaf.checkHost(host, { partialWildcards: false, subject: 'never' }) !== undefined)
  );
}

function prepare(pair: KeyPair) {
  return { leaf: pair.leaf, context: createSecureContext(secureContext(pair)) };
}
