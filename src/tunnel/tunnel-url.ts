/** Where the tunnel is opened. */
export function tunnelUrl(relay: string): URL {
  const url = new URL('/tunnel', relay);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}
