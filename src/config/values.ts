/** Readings of the small languages inside configuration values. Each gives undefined for text that is none of it. */

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `15s`, `10m`, `8h`, `7d` → milliseconds. */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (UNIT_MS[unit] ?? Number.NaN);
}

const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

/** `512KB`, `100MB`, `2GB` → bytes; 1 KB is 1,024 bytes. */
export function parseSizeBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(B|KB|MB|GB)$/.exec(text) ?? [];
  return digits === undefined || unit === undefined ? undefined : Number(digits) * (UNIT_BYTES[unit] ?? Number.NaN);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8080`, `[::1]:8080`, `name:8080`; IPv6 comes without brackets. Port 0 means any. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, six, plain, digits] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = six ?? plain;
  const port = Number(digits);
  return host === undefined || !(port <= 65_535) ? undefined : { host, port };
}

/** An http(s) origin and nothing more: no user, path, query or fragment. */
export function parseOrigin(text: string): URL | undefined {
  const url = parseUrl(text);
  return url && url.pathname === '/' && url.search === '' && !/[?#]/.test(text) ? url : undefined;
}

/** An absolute http(s) URL without user and fragment. */
export function parseUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}

/** A lower-case DNS name (RFC 1123), not an address. */
export function isHostName(text: string): boolean {
  const labels = text.split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

/** Hosts where browsers keep Secure cookies without TLS. */
export function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '127.0.0.1' || host === '[::1]';
}
