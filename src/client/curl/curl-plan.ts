import { PosternError } from '../../lib/errors.ts';
import type { CurlArguments } from './curl-arguments.ts';

export interface CurlPlan {
  /** Of the one resource that gets the token. */
  readonly origin: string;
  /** Where the token goes: not in the place of what the app is meant to see. */
  readonly header: 'Authorization' | 'Postern-Token';
}

/** They bring addresses or options that were not seen here, or write the token down. */
const REFUSED: Readonly<Record<string, string>> = {
  config: 'it may hold further addresses',
  next: 'what follows would go without the token; run it twice',
  libcurl: 'it would write the token into a file',
  'location-trusted': 'it would send the token to other hosts',
  'expand-url': 'the address must be said as it is',
};

/** They fill `Authorization`, which is the app's. */
const OWN_AUTHORIZATION: ReadonlySet<string> = new Set([
  'anyauth',
  'aws-sigv4',
  'basic',
  'digest',
  'negotiate',
  'netrc',
  'netrc-file',
  'netrc-optional',
  'ntlm',
  'ntlm-wb',
  'oauth2-bearer',
  'user',
]);

/** Since then curl keeps `Authorization` from every other host, port and protocol that a redirect leads to. */
const KEEPS_AUTHORIZATION: readonly [number, number] = [7, 83];

/** Decides where the token may go. Throws `request_invalid` for whatever could take it elsewhere. */
export function planCurl({ urls, options }: CurlArguments, version: readonly [number, number]): CurlPlan {
  for (const { name } of options) {
    const why = REFUSED[name];
    if (why !== undefined) throw refused(`--${name} cannot be used here: ${why}.`);
  }
  const origins = new Set(urls.map(originOf));
  const [origin, ...others] = origins;
  if (origin === undefined) throw refused('Say which address: postern curl https://wiki.access.example.com/page');
  if (others.length > 0) throw refused(`One app at a time: ${[...origins].join(' and ')} take different tokens.`);

  const ownAuthorization = options.some(
    ({ name, value = '' }) => OWN_AUTHORIZATION.has(name) || isItsHeader(name, value),
  );
  const follows =
    options.findLast(({ name }) => /^(no-)?location$/.test(name))?.name === 'location' ||
    options.some(({ name }) => name === 'follow');
  if (!ownAuthorization) {
    if (follows && isBefore(version, KEEPS_AUTHORIZATION))
      throw refused('This curl would send the token wherever a redirect leads. Leave -L out, or install curl 7.83.');
    return { origin, header: 'Authorization' };
  }
  if (follows)
    throw refused(
      'With an authorization of your own the token goes into a header that curl would send wherever a redirect leads. Leave -L out.',
    );
  return { origin, header: 'Postern-Token' };
}

/** Nothing but the plain origin may stand before the path: another reader of the same text must see the same host. */
function originOf(url: string): string {
  const [, origin = ''] = /^(https?:\/\/[a-z0-9.-]+(?::\d{1,5})?)(?:[/?#]|$)/.exec(url) ?? [];
  if (origin !== '' && URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw refused(
    `"${url}" must begin as the app's address does, such as https://wiki.access.example.com/ (postern ls).`,
  );
}

/** From a file it may be; then the token makes way. */
function isItsHeader(name: string, value: string): boolean {
  return (name === 'header' || name === 'expand-header') && /^\s*(authorization\s*[:;]|@|\{\{)/i.test(value);
}

function isBefore(
  [major, minor]: readonly [number, number],
  [otherMajor, otherMinor]: readonly [number, number],
): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function refused(message: string): PosternError {
  return new PosternError('request_invalid', message);
}
