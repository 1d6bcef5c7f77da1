import type { RelayConfig } from '../../config/relay-config.ts';
import { lookupWithLocalhost } from '../../lib/localhost.ts';
import { within } from '../../lib/wait.ts';
import { type Finding, right, wrong } from './finding.ts';

const LOOKUP_MS = 5_000;

/** The relay's host and each resource's, as this machine resolves them. */
export function checkNames({ relay, resources }: RelayConfig): Promise<Finding[]> {
  const hosts = new Set([relay.host, ...resources.flatMap(({ hosts }) => hosts)]);
  return Promise.all([...hosts].map(checkName));
}

async function checkName(host: string): Promise<Finding> {
  try {
    const addresses = await within(LOOKUP_MS, `Looking up ${host}`, lookup(host));
    return right(`${host} → ${addresses.join(', ')}`);
  } catch {
    return wrong(
      `${host} has no address`,
      `Create a DNS record for ${host} (or a wildcard above it) that leads to this machine or to the proxy in front of it.`,
    );
  }
}

function lookup(host: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    lookupWithLocalhost(host, { all: true }, (error, found) => {
      if (error) reject(error);
      else resolve([...new Set([found].flat().map((each) => (typeof each === 'string' ? each : each.address)))]);
    });
  });
}
