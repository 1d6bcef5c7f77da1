import { NAME_PATTERN } from '../domain/name.ts';
import { PosternError } from '../lib/errors.ts';

const NAME = new RegExp(NAME_PATTERN);

export function isResourceName(text: string): boolean {
  return NAME.test(text);
}

/** The resource that a person means by `build01` or `build01.access.example.com`. `request_invalid` for what no resource is called. */
export function parseResourceName(text: string, relay: string): string {
  const name = resourceBelow(text, relay) ?? text.toLowerCase();
  if (NAME.test(name)) return name;
  throw new PosternError('request_invalid', `"${text}" is no name of a resource. See: postern ls`);
}

/** `build01` of `build01.access.example.com`, where that is the host of the relay; else undefined. */
export function resourceBelow(host: string, relay: string): string | undefined {
  const suffix = `.${new URL(relay).hostname}`;
  const lower = host.toLowerCase().replace(/\.$/, '');
  const name = lower.endsWith(suffix) ? lower.slice(0, -suffix.length) : undefined;
  return name !== undefined && NAME.test(name) ? name : undefined;
}
