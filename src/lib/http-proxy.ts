import type { Secret } from './secret.ts';

/** An HTTP proxy that leads out with CONNECT (RFC 9110 §9.3.6). */
export interface HttpProxy {
  /** `http://host:port`, or `https://` when the way to the proxy itself is TLS. */
  readonly origin: string;
  readonly user: string | undefined;
  readonly password: Secret | undefined;
}
