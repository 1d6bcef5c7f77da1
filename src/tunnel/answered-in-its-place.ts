import { PosternError } from '../lib/errors.ts';

/** An answer that no relay gives: a sign-in page of a network, a filter's notice, another web server. */
export function answeredInItsPlace(relay: string, status: number, mediaType: string): PosternError {
  const what = mediaType === '' ? `${status}` : `${status}, ${mediaType.slice(0, 60)}`;
  return new PosternError(
    'relay_unreachable',
    `Something else answers in place of the relay ${relay} (${what}): a network that wants a sign-in first, a filtering proxy, or another server under this address. Open ${relay} in a browser on this machine to see what it is.`,
  );
}
