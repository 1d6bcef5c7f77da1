import { isIP } from 'node:net';
import { PosternError } from '../../lib/errors.ts';

/** Where local programs connect. */
export type ListenAt =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'stdio' };

const LOOPBACK = '127.0.0.1';

/** `5432`, `0`, `127.0.0.1:5432`, `[::1]:5432`, `*:5432`, `unix:/path` or `-`. Throws `request_invalid`. */
export function parseListenAt(text: string): ListenAt {
  if (text === '-') return { kind: 'stdio' };
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length);
    if (path === '' || path.includes('\0')) throw invalid(text);
    return { kind: 'unix', path };
  }
  const [, host = '', digits = ''] = /^(?:(.*):)?(\d{1,5})$/.exec(text) ?? [];
  const port = digits === '' ? Number.NaN : Number(digits);
  if (!(port <= 65_535)) throw invalid(text);
  return { kind: 'tcp', host: hostIn(host, text), port };
}

/** Others than this machine may connect there, and act as the person who listens. */
export function isOpenToOthers(host: string): boolean {
  return host !== '::1' && !host.startsWith('127.');
}

function hostIn(host: string, text: string): string {
  if (host === '') return LOOPBACK;
  if (host === '*') return '0.0.0.0';
  if (host === 'localhost') return LOOPBACK;
  const bare = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  // A name might mean any address, today this and tomorrow that.
  if (isIP(bare) === 0 || (isIP(bare) === 6) !== host.startsWith('[')) throw invalid(text);
  return bare;
}

function invalid(text: string): PosternError {
  return new PosternError(
    'request_invalid',
    `"${text}" is not where one can listen: write a port (5432, or 0 for a free one), an address and a port (127.0.0.1:5432, [::1]:5432), unix:/path, or - for standard input and output.`,
  );
}
