import type { TerminationReason } from '../domain/change.ts';
import type { LiveAccess } from '../domain/live.ts';
import { Roster } from '../lib/roster.ts';
import type { OpenAccess } from './access/open-access.ts';
import { MAX_LIVE_PER_SESSION } from './limits.ts';
import type { LiveTraffic } from './ports.ts';

/** What is under way, from the recorded intent to the outcome. */
export class LiveAccesses implements LiveTraffic {
  readonly #open = new Roster<OpenAccess>();
  readonly #bySession = new Map<string, number>();

  list(): readonly LiveAccess[] {
    return this.#open.list();
  }

  terminate(which: (access: LiveAccess) => boolean, reason: TerminationReason): number {
    const chosen = this.#open.list().filter(which);
    for (const access of chosen) access.terminate(reason);
    return chosen.length;
  }

  /** The accesses themselves, to review them. */
  all(): OpenAccess[] {
    return this.#open.list();
  }

  isFull(session: string): boolean {
    return (this.#bySession.get(session) ?? 0) >= MAX_LIVE_PER_SESSION;
  }

  add(access: OpenAccess): void {
    this.#open.add(access);
    count(this.#bySession, access.sessionId, 1);
  }

  remove(access: OpenAccess): void {
    if (!this.#open.delete(access)) return;
    count(this.#bySession, access.sessionId, -1);
  }
}

function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
