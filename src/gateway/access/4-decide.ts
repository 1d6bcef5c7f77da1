import type { Decision } from '../../domain/decision.ts';
import type { Resource } from '../../domain/resource.ts';
import type { Session } from '../../domain/session.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { AccessHead } from './1-read-connection.ts';

/** Step 4. Total: whatever goes wrong is a deny. */
export function decide(snapshot: Snapshot, session: Session, resource: Resource, head: AccessHead): Decision {
  const { kind } = head;
  const { policy } = snapshot;
  if (kind === 'websocket' && !resource.websocket) {
    return denied(policy.version, 'no_rule_matched', 'WebSockets are switched off for this resource.');
  }
  if (session.scope !== undefined && !session.scope.includes(resource.name)) {
    return denied(policy.version, 'out_of_scope', 'This token is for other apps.');
  }
  try {
    return policy.decide({
      principal: session.principal,
      resource,
      action: {
        kind,
        method: head.method,
        path: head.path,
        destination: head.kind === 'tcp' ? head.destination : undefined,
      },
    });
  } catch {
    return denied(policy.version, 'policy_failed', undefined);
  }
}

function denied(policyVersion: string, reason: Decision['reasons'][number], message: string | undefined): Decision {
  return { effect: 'deny', rule: undefined, reasons: [reason], message, policyVersion };
}
