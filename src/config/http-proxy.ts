import { messageOf } from '../lib/errors.ts';
import type { HttpProxy } from '../lib/http-proxy.ts';
import { loadSecret, Secret } from '../lib/secret.ts';
import { parseOrigin } from './values.ts';

/** `http://proxy:3128` or `http://user@proxy:3128`; the password comes from a file. A text is what is wrong. */
export function readProxy(text: string, passwordFile: string | undefined): HttpProxy | string {
  const parts = split(text);
  if (!parts) return `"${text}" must be the proxy's address, such as http://proxy.example.com:3128`;
  if (parts.password !== undefined) return 'a password does not belong here: put it into a file, "passwordFile"';
  if (passwordFile === undefined) return { ...parts, password: undefined };
  if (parts.user === undefined) return 'a password needs a user: write http://user@proxy.example.com:3128';
  try {
    return { ...parts, password: loadSecret(passwordFile) };
  } catch (error) {
    return messageOf(error);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** From HTTPS_PROXY and NO_PROXY (either case), for relays at https:. A text is what is wrong with them. */
export function proxyFromEnvironment(relay: string, environment: Environment): HttpProxy | string | undefined {
  const url = new URL(relay);
  const text = environment['HTTPS_PROXY'] || environment['https_proxy'];
  if (!text || url.protocol !== 'https:') return undefined;
  if (isExempt(url.hostname, environment['NO_PROXY'] || environment['no_proxy'] || '')) return undefined;
  const parts = split(text.includes('://') ? text : `http://${text}`);
  if (!parts) return 'HTTPS_PROXY must be the address of a proxy, such as http://proxy.example.com:3128';
  return { ...parts, password: parts.password === undefined ? undefined : new Secret(parts.password) };
}

function isExempt(host: string, list: string): boolean {
  return list
    .split(',')
    .map((entry) => entry.trim().replace(/^\*?\./, ''))
    .some((entry) => entry !== '' && (entry === '*' || host === entry || host.endsWith(`.${entry}`)));
}

function split(text: string): { origin: string; user: string | undefined; password: string | undefined } | undefined {
  const [, scheme, user, password, rest = ''] = /^(https?:\/\/)(?:([^/@:]*)(?::([^/@]*))?@)?([^@]*)$/i.exec(text) ?? [];
  const origin = scheme === undefined ? undefined : parseOrigin(`${scheme}${rest}`)?.origin;
  if (origin === undefined) return undefined;
  try {
    return {
      origin,
      user: user === undefined ? undefined : decodeURIComponent(user),
      password: password === undefined ? undefined : decodeURIComponent(password),
    };
  } catch {
    return undefined;
  }
}
