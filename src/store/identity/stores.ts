import type { Store } from '../open.ts';
import { createAgentStore } from './agents.ts';
import { createCodeStore } from './codes.ts';
import { createExpiryStore } from './expiry.ts';
import { createPrincipalStore } from './principals.ts';
import { createSessionStore } from './sessions.ts';
import { createSigningKeyStore } from './signing-keys.ts';

/** All that `openIdentity` asks of the database. */
export function createIdentityStores(store: Pick<Store, 'db' | 'changes'>) {
  return {
    principals: createPrincipalStore(store),
    sessions: createSessionStore(store),
    codes: createCodeStore(store),
    agents: createAgentStore(store),
    signingKeys: createSigningKeyStore(store),
    expiry: createExpiryStore(store),
  };
}
