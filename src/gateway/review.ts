import type { Change } from '../domain/change.ts';
import { messageOf } from '../lib/errors.ts';
import { allowedBy, readAgain } from './access/gap.ts';
import type { OpenAccess } from './access/open-access.ts';
import type { Door } from './door.ts';

/** Holds everything open against a change: what is no longer allowed is cut in both directions. */
export function review(door: Door, change: Change): void {
  const { live, pool, ports } = door;
  switch (change.kind) {
    case 'session_revoked':
      live.terminate((access) => access.session.id === change.session, change.reason);
      pool.end((stream) => stream.session === change.session);
      break;
    case 'agent_revoked':
      live.terminate((access) => access.agent === change.agent, 'agent_revoked');
      pool.end((stream) => stream.tunnel.agent === change.agent);
      break;
    case 'agent_drained':
      // It takes nothing new; what is open goes on.
      break;
    case 'snapshot_changed': {
      const snapshot = ports.snapshot();
      for (const access of live.all()) {
        if (access.snapshotVersion !== snapshot.version && !allowedBy(access, snapshot)) {
          access.terminate('policy_changed');
        }
      }
      break;
    }
    case 'principal_changed':
      for (const access of live.all()) {
        if (access.session.principal.id === change.principal) void reviewPrincipal(access);
      }
      break;
    case 'everything_changed':
      for (const access of live.all()) void reviewPrincipal(access);
      break;
  }
}

/** Reads the session anew: without it, its person or its token was signed out; the rest is for the policy. */
async function reviewPrincipal(access: OpenAccess): Promise<void> {
  try {
    if (!(await readAgain(access))) access.terminate('session_revoked');
    else if (!allowedBy(access, access.door.ports.snapshot())) access.terminate('policy_changed');
  } catch (error) {
    access.door.log?.warn({ intent: access.intent, error: messageOf(error) }, 'an open access could not be reviewed');
    access.terminate('authority_lost');
  }
}

/** What only time ends: sessions at their absolute end, clients that neither send nor read, and targets that do not answer. */
export function sweep(door: Door): void {
  const now = door.clock();
  const elapsed = door.elapsed();
  door.pool.sweep(performance.now());
  for (const access of door.live.all()) {
    if (access.session.expiresAt <= now) access.terminate('session_expired');
    else if (access.stalledSince !== 0 && elapsed - access.stalledSince > door.bounds.clientStallMs) access.giveUp();
  }
}
