import type { IncomingMessage } from 'node:http';

/**
 * Why a request is refused; undefined for one that a program on this machine sent of its own accord. A page of another
 * site must not act as the person who listens: neither by its own name bound to our address (DNS rebinding), which its
 * Host shows, nor by a form or script, which Origin and Sec-Fetch-Site show.
 */
export function refusalOf(req: IncomingMessage): string | undefined {
  const { host, origin, 'sec-fetch-site': site } = req.headers;
  if (!isOurName(host, req)) return `This listener does not answer to the name ${host ?? 'that is missing'}.`;
  if (origin !== undefined && origin.toLowerCase() !== localOrigin(req))
    return 'Pages of other sites may not use this.';
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'Pages of other sites may not use this.';
  return undefined;
}

/** Where this request came in, as its client wrote it. */
export function localOrigin({ headers }: IncomingMessage): string {
  return `http://${headers.host?.toLowerCase() ?? ''}`;
}

function isOurName(host: string | undefined, { socket }: IncomingMessage): boolean {
  const { localAddress, localPort } = socket;
  // A Unix socket, which no page can reach and where clients write what they like.
  if (localAddress === undefined || localPort === undefined) return host === undefined || /^[\w.:[\]-]*$/.test(host);
  const own = localAddress.replace(/^::ffff:(?=[\d.]+$)/, '');
  const names = ['localhost', '127.0.0.1', '[::1]', own.includes(':') ? `[${own}]` : own];
  return names.some((name) => {
    const asked = host?.toLowerCase();
    return asked === `${name}:${localPort}` || (localPort === 80 && asked === name);
  });
}
