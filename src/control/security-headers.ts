import type { FastifyHelmetOptions } from '@fastify/helmet';

/** Scripts only from our own files; no inline script ever. */
const DIRECTIVES = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
} as const;

/** HSTS only where the relay is reached by https: on http it would lock people out of a trial. */
export function helmetOptions(origin: string): FastifyHelmetOptions {
  const https = origin.startsWith('https:');
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: Object.fromEntries(Object.entries(DIRECTIVES).map(([name, sources]) => [name, [...sources]])),
    },
    strictTransportSecurity: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // `no-referrer` would make browsers send `Origin: null` with forms; the address never leaves this origin.
    referrerPolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
  };
}

/** The policy of the console's document: Mantine writes its theme into style elements that carry this response's nonce. */
export function consoleContentSecurityPolicy(nonce: string): string {
  return Object.entries(DIRECTIVES)
    .map(([name, sources]) => [name, ...sources, ...(name === 'style-src' ? [`'nonce-${nonce}'`] : [])].join(' '))
    .join(';');
}
