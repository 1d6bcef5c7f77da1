import { type Static, Type } from 'typebox';
import { parseCidr } from '../lib/network/address.ts';
import { parseNamePattern } from '../lib/network/name-pattern.ts';
import type { NetworkTexts } from '../lib/network/network-list.ts';
import { parsePorts } from '../lib/network/ports.ts';
import { isAllSpecial } from '../lib/network/special-addresses.ts';
import type { Place, Problems } from './problem.ts';
import { Text } from './schema-parts.ts';

/** All networks of one agent together, as JSON: they go into one message to the relay. */
export const MAX_NETWORKS_BYTES = 32_768;
const MAX_ENTRIES = 500;

/** One entry under `networks` in agent.yaml. */
export const NetworkSchema = Type.Object(
  {
    hosts: Type.Optional(Type.Array(Text, { maxItems: MAX_ENTRIES })),
    addresses: Type.Optional(Type.Array(Text, { maxItems: MAX_ENTRIES })),
    ports: Type.Array(Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Text]), {
      minItems: 1,
      maxItems: 100,
      description: "ports and ranges such as 22, '5000-5999' or '*'",
    }),
  },
  { additionalProperties: false },
);

export function readNetwork(
  { hosts = [], addresses = [], ports }: Static<typeof NetworkSchema>,
  at: (...path: (string | number)[]) => Place,
  problems: Problems,
): NetworkTexts {
  if (hosts.length + addresses.length === 0)
    problems.add(at(), 'a network needs "hosts" or "addresses": without them it leads nowhere');
  for (const [index, text] of hosts.entries())
    if (parseNamePattern(text) === undefined)
      problems.add(at('hosts', index), `"${text}" must be a name such as db1.lan, "*." and a name, or "*"`);
  for (const [index, text] of addresses.entries()) {
    const fault = addressFault(text);
    if (fault !== undefined) problems.add(at('addresses', index), fault);
  }
  for (const [index, port] of ports.entries())
    if (parsePorts(String(port)) === undefined)
      problems.add(at('ports', index), `"${port}" must be a port, a range such as 5000-5999, or "*"`);
  return { hosts, addresses, ports: ports.map(String) };
}

function addressFault(text: string): string | undefined {
  const cidr = parseCidr(text);
  if (cidr === undefined)
    return `"${text}" must be an address, or a network such as 10.0.0.0/8 whose address has no bits behind the prefix`;
  return isAllSpecial(cidr)
    ? `"${text}" has special addresses only (loopback, link-local, metadata, …): list those that are meant one by one`
    : undefined;
}
