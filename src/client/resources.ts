import Type, { type Static } from 'typebox';
import { NAME_PATTERN } from '../domain/name.ts';
import { PosternError } from '../lib/errors.ts';
import type { Credential } from './credentials.ts';
import { answerParser, Nullable } from './relay-answer.ts';
import { callRelay } from './relay-api.ts';

const ReachableResource = Type.Object({
  /** It goes into files of ssh and to shells, so no relay may call one as it likes. */
  name: Type.String({ pattern: NAME_PATTERN }),
  /** `http`, `tcp`, `ssh` or `network`; relays that know only http do not say it. */
  protocol: Type.Optional(Type.String({ pattern: '^[a-z0-9]{1,20}$' })),
  title: Type.String(),
  description: Nullable(Type.String()),
  /** Where http resources are. */
  url: Type.Optional(Nullable(Type.String())),
  /** A leased port leads there, and nothing else. Relays that lease nothing do not say it. */
  leaseOnly: Type.Optional(Type.Boolean()),
  tags: Type.Array(Type.String()),
  /** Whom to ask about it. */
  owner: Type.Optional(Nullable(Type.String())),
});

export interface ReachableResource extends Omit<Static<typeof ReachableResource>, 'protocol' | 'url'> {
  readonly protocol: string;
  /** Scheme, host and port; undefined where the protocol is not http. */
  readonly origin: string | undefined;
}

/** What the policy may let this person reach, by title. */
export async function listResources(credential: Credential, signal: AbortSignal): Promise<ReachableResource[]> {
  const { resources } = parseList(await callRelay({ ...credential, path: '/api/v1/resources', signal }));
  return resources.map(({ protocol = 'http', url, ...resource }) => ({
    ...resource,
    protocol,
    origin: protocol === 'http' && url && URL.canParse(url) ? new URL(url).origin : undefined,
  }));
}

/** One target by name, whose bytes nobody reads on the way. */
export function takesConnections({ protocol, leaseOnly }: ReachableResource): boolean {
  return (protocol === 'tcp' || protocol === 'ssh') && !leaseOnly;
}

/** By its name. Rejects with `not_found`, which may also mean that the policy hides it. */
export async function findResource(
  credential: Credential,
  name: string,
  signal: AbortSignal,
): Promise<ReachableResource> {
  const found = (await listResources(credential, signal)).find((resource) => resource.name === name);
  if (found) return found;
  throw new PosternError('not_found', `There is no ${name} at ${credential.relay} that you may reach. See: postern ls`);
}

const parseList = answerParser(Type.Object({ resources: Type.Array(ReachableResource) }));
