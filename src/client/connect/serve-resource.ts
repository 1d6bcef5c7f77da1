import { issueResourceToken } from '../resource-token.ts';
import { listResources, type ReachableResource } from '../resources.ts';
import type { PersonTunnel } from '../tunnel/of-person.ts';
import type { SignInGate } from '../tunnel/sign-in-gate.ts';
import { rememberToken } from './http/remember-token.ts';
import { serveHttp } from './http/serve-http.ts';
import type { LocalListener, LocalPlace } from './listen.ts';
import { serve } from './serve.ts';
import { byProxy } from './way-instead.ts';

export interface ResourceServing {
  readonly resource: string;
  readonly person: PersonTunnel;
  readonly gate: SignInGate;
  readonly signal: AbortSignal;
  /** Told in words of each connection or request that failed. */
  readonly failed: (error: unknown) => void;
}

export interface ServedResource extends LocalListener {
  /** undefined for a name that the person's list does not have. */
  readonly protocol: string | undefined;
}

/**
 * Listens for a resource as its protocol needs it: a web app gets requests that carry a token, others get connections. A
 * name that the person's list does not have gets connections, too: the relay says why it opens none. Rejects with
 * `request_invalid` for a network, which has no one place to lead to.
 */
export async function serveResource(place: LocalPlace, serving: ResourceServing): Promise<ServedResource> {
  const { resource, person, gate, signal, failed } = serving;
  const listed = await gate.pass(() => listResources(person.credential(), signal));
  const found = listed.find(({ name }) => name === resource);
  if (found?.protocol === 'network') throw byProxy(resource);
  const listener =
    found?.origin === undefined
      ? await serve(place, { to: { resource }, opener: gate.guard(person.tunnel), signal, failed })
      : await serveHttp(place, {
          origin: found.origin,
          token: tokens(found, serving),
          proxy: person.proxy,
          signal,
          failed,
        });
  return { ...listener, protocol: found?.protocol };
}

function tokens(resource: ReachableResource, { person, gate, signal }: ResourceServing) {
  return rememberToken(() => gate.pass(() => issueResourceToken(person.credential(), resource, signal)));
}
