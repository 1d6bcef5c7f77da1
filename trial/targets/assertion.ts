import { get } from 'node:http';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { lookupWithLocalhost } from '../../src/lib/localhost.ts';

export interface AssertedPerson {
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly groups: readonly string[];
}

export interface AssertionReader {
  /** Who sends this request, as the relay signed it; undefined when there is no valid assertion. */
  read(header: string | string[] | undefined): Promise<AssertedPerson | undefined>;
}

/**
 * What an app does to know its people: verify `X-Postern-Assertion` against the relay's published keys.
 * `audience` is the app's own origin as people use it.
 */
export function assertionReader(relay: string, audience: string): AssertionReader {
  let keys: JWTVerifyGetKey | undefined;
  const verify = async (token: string, fresh: boolean) => {
    if (fresh || !keys) keys = createLocalJWKSet(await fetchKeys(relay));
    const checks = { issuer: relay, audience, typ: 'postern-assertion+jwt', algorithms: ['EdDSA', 'Ed25519'] };
    return (await jwtVerify(token, keys, checks)).payload;
  };
  return {
    async read(header) {
      if (typeof header !== 'string') return undefined;
      try {
        // A key we have not seen may be a new one: look once more.
        const claims = await verify(header, false).catch(() => verify(header, true));
        return {
          email: typeof claims['email'] === 'string' ? claims['email'] : undefined,
          name: typeof claims['name'] === 'string' ? claims['name'] : undefined,
          groups: Array.isArray(claims['groups']) ? claims['groups'].map(String) : [],
        };
      } catch {
        return undefined;
      }
    },
  };
}

function fetchKeys(relay: string): Promise<JSONWebKeySet> {
  return new Promise((resolve, reject) => {
    const options = { lookup: lookupWithLocalhost, signal: AbortSignal.timeout(5000) };
    get(new URL('/.well-known/jwks.json', relay), options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(text) as JSONWebKeySet);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    }).on('error', reject);
  });
}
