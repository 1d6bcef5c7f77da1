import type { Secret } from '../../../lib/secret.ts';
import type { ResourceToken } from '../../resource-token.ts';
import type { TokenSource } from './exchange.ts';

/** Not used up to its last moment: clocks differ, and requests take time. */
const SPARE_MS = 30_000;

/** Remembers one token until it ends; who asks while a new one is on its way waits for that one. */
export function rememberToken(issue: () => Promise<ResourceToken>): TokenSource {
  let known: ResourceToken | undefined;
  let underWay: Promise<ResourceToken> | undefined;
  return {
    async current(): Promise<Secret> {
      if (known && known.expiresAt - SPARE_MS > Date.now()) return known.token;
      underWay ??= issue().finally(() => {
        underWay = undefined;
      });
      known = await underWay;
      return known.token;
    },
    refused(token) {
      if (known?.token === token) known = undefined;
    },
  };
}
