import type { Static } from 'typebox';
import { isLoopback, isNetwork } from '../lib/networks.ts';
import { type KeyPairFilesList, readCertificates } from './certificates.ts';
import { RELAY_DEFAULTS } from './defaults.ts';
import type { Problems } from './problem.ts';
import type { RelayFileSchema } from './relay-schema.ts';
import { type HostPort, parseHostPort, parseOrigin } from './values.ts';
import type { YamlDocument } from './yaml-document.ts';

/** Where and how the relay listens. */
export interface Listening {
  readonly listen: HostPort;
  /** undefined: plain HTTP, on loopback or behind trusted proxies. */
  readonly tls: Tls | undefined;
  /** Addresses and networks whose word about the client counts. */
  readonly trustedProxies: readonly string[];
  /** Connections begin with a header of the PROXY protocol. */
  readonly proxyProtocol: boolean;
  /** Metrics and health, apart from everything else. */
  readonly metrics: HostPort | undefined;
}

export interface Tls {
  readonly certificates: KeyPairFilesList;
  /** Plain HTTP that only redirects. */
  readonly redirectFrom: HostPort | undefined;
}

type Document = YamlDocument<Static<typeof RelayFileSchema>>;

/** Refuses what would carry sessions in the clear. */
export function readListening(document: Document, base: string, problems: Problems): Listening | undefined {
  const { relay } = document.value;
  const listen = readAddress(document, relay.listen, problems, 'relay', 'listen');
  const tls = readTls(document, base, problems);
  const trustedProxies = relay.trustedProxies ?? RELAY_DEFAULTS['relay.trustedProxies'];
  for (const [index, text] of trustedProxies.entries())
    if (!isNetwork(text))
      problems.add(document.place('relay', 'trustedProxies', index), `"${text}" is no address or network`);
  if (trustedProxies.some((text) => /^(0+\.0+\.0+\.0+|[0:]+)\/0+$/.test(text)))
    problems.add(document.place('relay', 'trustedProxies'), 'everybody is trusted: name the proxies themselves');
  if (relay.proxyProtocol === true && trustedProxies.length === 0)
    problems.add(
      document.place('relay', 'proxyProtocol'),
      '"relay.proxyProtocol" needs "relay.trustedProxies": only from these its header is believed',
    );

  const https = parseOrigin(relay.url)?.protocol === 'https:';
  if (relay.tls && !https)
    problems.add(document.place('relay', 'url'), '"relay.url" must be https:, since "relay.tls" is given');
  if (listen && !relay.tls && !isLoopbackHost(listen.host) && trustedProxies.length === 0)
    problems.add(
      document.place('relay', 'listen'),
      `plain HTTP on ${relay.listen} would carry sessions in the clear: give "relay.tls", listen on 127.0.0.1, or name the proxy in front in "relay.trustedProxies"`,
    );

  const metrics =
    relay.metrics === undefined ? undefined : readAddress(document, relay.metrics, problems, 'relay', 'metrics');
  if (metrics && !isLoopbackHost(metrics.host))
    problems.add(
      document.place('relay', 'metrics'),
      '"relay.metrics" must be on loopback, such as 127.0.0.1:9090: it asks nobody who they are',
    );
  if (!listen) return undefined;
  return {
    listen,
    tls,
    trustedProxies,
    proxyProtocol: relay.proxyProtocol ?? RELAY_DEFAULTS['relay.proxyProtocol'],
    metrics,
  };
}

function readTls(document: Document, base: string, problems: Problems): Tls | undefined {
  const { tls } = document.value.relay;
  if (!tls) return undefined;
  const { redirectFrom } = tls;
  const redirect =
    redirectFrom === undefined
      ? undefined
      : readAddress(document, redirectFrom, problems, 'relay', 'tls', 'redirectFrom');
  const certificates = readCertificates(document, tls, base, problems);
  return certificates && { certificates, redirectFrom: redirect };
}

function readAddress(document: Document, text: string, problems: Problems, ...path: string[]): HostPort | undefined {
  const address = parseHostPort(text);
  if (!address)
    problems.add(document.place(...path), `"${path.join('.')}" must be an address and port such as 127.0.0.1:8080`);
  return address;
}

function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || isLoopback(host);
}
