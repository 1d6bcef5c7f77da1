import type { AgentEvent } from '../../domain/audit-event/agent.ts';
import type { AuditAppender } from '../../domain/audit-event.ts';
import type { DeviceCredential } from '../../domain/device-credential.ts';
import type { Clock } from '../../lib/clock.ts';
import { dropOldest } from '../../lib/drop-oldest.ts';
import { messageOf } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import type { Logger } from '../../lib/log.ts';
import type { StrangerMeter } from '../ports.ts';
import type { RefusedAnnouncement } from './announcement.ts';
import type { LiveTunnel } from './live-tunnel.ts';

/** One record per agent and reason in this time; more are only counted. */
const REFUSAL_QUIET_MS = 60_000;
/** (agent, reason) pairs remembered; beyond it refusals are only counted until the oldest is forgotten. */
const MAX_REMEMBERED = 4096;
const MAX_REASON_LENGTH = 1000;

export interface RecorderPorts {
  readonly audit: AuditAppender;
  readonly strangers: StrangerMeter;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Writes what happens to tunnels into the audit log, without anything waiting for it. */
export class AgentRecorder {
  readonly #ports: RecorderPorts;
  readonly #refusedAt = new Map<string, number>();
  /** Agent → the refusals last recorded. */
  readonly #announcements = new Map<string, string>();
  readonly #appending = new Set<Promise<void>>();

  constructor(ports: RecorderPorts) {
    this.#ports = ports;
  }

  /** `beside`: another tunnel of this agent seems alive, by a reconnect or by a second process with the same identity. */
  connected(tunnel: LiveTunnel, address: string, beside: boolean): void {
    const about = { agent: tunnel.agent, tunnel: tunnel.id, keyThumbprint: tunnel.keyThumbprint };
    const reason = beside ? { reason: 'besides_another_tunnel' } : {};
    this.#append('agent.connected', { ...about, ...reason, personal: { address } });
    tunnel.ended.addEventListener(
      'abort',
      () => {
        const reason = tunnel.endedBecause ?? 'unknown';
        this.#append('agent.disconnected', { ...about, reason });
        this.#ports.log.info({ agent: tunnel.agent, tunnel: tunnel.id, reason }, 'agent disconnected');
      },
      { once: true },
    );
  }

  /** The credential was genuine: the agent is known, so this is not a stranger. Still bounded. */
  refused(credential: DeviceCredential, reason: string, address: string): void {
    const now = this.#ports.clock();
    for (const [key, at] of this.#refusedAt) {
      if (now - at < REFUSAL_QUIET_MS) break;
      this.#refusedAt.delete(key);
    }
    const key = `${credential.agent}\n${reason}`;
    if (this.#refusedAt.has(key) || this.#refusedAt.size >= MAX_REMEMBERED) {
      this.#ports.strangers.refused(`tunnel_${reason}`, address);
      return;
    }
    this.#refusedAt.set(key, now);
    const { agent, keyThumbprint } = credential;
    this.#append('agent.refused', { agent, keyThumbprint, reason, personal: { address } });
  }

  /** What an agent announced and may not serve. Once for each set of names, as an agent announces them at each connection. */
  announcementRefused(agent: string, tunnel: string, refused: readonly RefusedAnnouncement[]): void {
    const text = refused.map(({ resource, reason }) => `${resource}: ${reason}`).join('; ');
    if (this.#announcements.get(agent) === text) return;
    this.#announcements.delete(agent);
    this.#announcements.set(agent, text);
    dropOldest(this.#announcements, MAX_REMEMBERED);
    this.#append('agent.announcement_refused', { agent, tunnel, reason: text.slice(0, MAX_REASON_LENGTH) });
    this.#ports.log.warn({ agent, refused }, 'an agent announced what it may not serve');
  }

  /** When everything handed over has been written or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#appending);
  }

  #append(kind: AgentEvent['kind'], event: Omit<AgentEvent, 'id' | 'at' | 'kind'>): void {
    const at = this.#ports.clock();
    const appended = this.#ports.audit.append({ ...event, kind, id: sortableId(at), at }).then(
      () => {},
      (error: unknown) => this.#ports.log.error({ kind, error: messageOf(error) }, 'an audit event was not written'),
    );
    this.#appending.add(appended);
    void appended.finally(() => this.#appending.delete(appended));
  }
}
