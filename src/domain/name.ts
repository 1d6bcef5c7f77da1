/** What resources, agents, services, tags, rules and groups are called: one label of a host name, since a resource's becomes one. */
export const NAME_PATTERN = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
