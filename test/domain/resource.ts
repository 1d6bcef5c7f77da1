import { DEFAULT_SETTINGS, type Resource } from '../../src/domain/resource.ts';

/** A resource at `<name>.postern.localhost`, served by the agent office, as the relay's file makes it where it says nothing. */
export function resource(name: string, facts: Partial<Resource> = {}): Resource {
  const host = facts.host ?? `${name}.postern.localhost`;
  return {
    name,
    protocol: 'http',
    title: name,
    description: undefined,
    host,
    hosts: [host],
    origin: `http://${host}`,
    origins: [`http://${host}`],
    tags: [],
    owner: undefined,
    agents: ['office'],
    paths: 'strict',
    websocket: true,
    corsOrigins: [],
    identityHeaders: {},
    recordedQuery: [],
    ...DEFAULT_SETTINGS,
    ...facts,
  };
}
