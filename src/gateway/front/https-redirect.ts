import type { IncomingMessage, RequestListener } from 'node:http';

/**
 * Sends GET and HEAD to the same address by https (308); everything else is refused, so that nothing that matters is
 * ever answered in the clear. Which hosts exist makes no difference: a stranger learns nothing. `relayOrigin` gives the
 * port, which all hosts share.
 */
export function createHttpsRedirect(relayOrigin: string): RequestListener {
  const { port } = new URL(relayOrigin);
  return (req, res) => {
    res.shouldKeepAlive = false;
    const host = hostnameOf(req);
    const path = req.url ?? '';
    if (host === undefined || !path.startsWith('/')) {
      res.writeHead(404, { 'Content-Length': '0', 'Cache-Control': 'no-store' }).end();
    } else if (req.method === 'GET' || req.method === 'HEAD') {
      const location = `https://${host}${port === '' ? '' : `:${port}`}${path}`;
      res.writeHead(308, { Location: location, 'Content-Length': '0', 'Cache-Control': 'no-store' }).end();
    } else {
      const text = 'Use https.\n';
      res.writeHead(403, { 'Content-Type': 'text/plain', 'Content-Length': text.length, 'Cache-Control': 'no-store' });
      res.end(text);
    }
    req.resume();
  };
}

/** Undefined unless there is exactly one that is a host name. */
function hostnameOf(req: IncomingMessage): string | undefined {
  const hosts = req.headersDistinct['host'] ?? [];
  const [host = ''] = hosts;
  return hosts.length === 1 && /^[a-z0-9.-]{1,253}(:\d{1,5})?$/i.test(host)
    ? host.replace(/:\d+$/, '').toLowerCase()
    : undefined;
}
