import { PosternError } from '../../lib/errors.ts';
import type { ReachableResource } from '../resources.ts';

/** What leads to a resource that takes no connections by its name alone; undefined for others. */
export function wayInstead({ name, protocol, origin = 'URL' }: ReachableResource): PosternError | undefined {
  if (protocol === 'network') return byProxy(name);
  if (protocol !== 'http') return undefined;
  return new PosternError(
    'request_invalid',
    `${name} is a web app: it takes requests, and no plain connection. Use: postern connect ${name} -L 8080, or postern curl ${origin}/`,
  );
}

export function byProxy(network: string): PosternError {
  return new PosternError('request_invalid', `${network} is a network of many places. Use: postern proxy --socks 1080`);
}
