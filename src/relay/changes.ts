import type { Change } from '../domain/change.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { TunnelEndpoint } from '../gateway/tunnel/accept.ts';
import type { AnnouncedResources } from './announced-resources.ts';

interface ChangeFollowers {
  readonly identity: { onChange(change: Change): void };
  readonly gateway: Gateway;
  readonly endpoint: TunnelEndpoint;
  readonly announced: AnnouncedResources;
}

/** Memory first, live traffic after: whoever is asked again must already know of the change. */
export function passChange({ identity, gateway, endpoint, announced }: ChangeFollowers): (change: Change) => void {
  return (change) => {
    identity.onChange(change);
    gateway.onChange(change);
    if (change.kind === 'agent_revoked') {
      endpoint.endAgent(change.agent, 'agent_revoked');
      announced.forget(change.agent);
    }
  };
}
