import type { IncomingMessage, ServerResponse } from 'node:http';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AccessOutcome, AuditAppender, AuditEvent } from '../../domain/audit-event.ts';
import type { LeaseView } from '../../domain/lease.ts';
import type { LiveAccess, TunnelView } from '../../domain/live.ts';
import type { StrangerMeter } from '../../gateway/ports.ts';

/** What is read at each scrape. */
export interface MeterSources {
  readonly live: () => readonly LiveAccess[];
  readonly tunnels: () => readonly TunnelView[];
  readonly clientTunnels: () => number;
  readonly leases: () => readonly Pick<LeaseView, 'resource'>[];
  /** Events that wait for the log. */
  readonly auditWaiting: () => number;
  readonly auditSize: () => number;
  readonly sessions: () => { readonly cached: number; readonly hits: number; readonly misses: number };
  /** Milliseconds since the last news of revocations. */
  readonly silenceMs: () => number;
}

/** An upload or a long answer ends in the last ones. */
const ACCESS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600];
const APPEND_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

/** The numbers of one relay, in the text format of Prometheus. Labels are of configured names and closed sets only. */
export class Meters {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly #accesses = new Counter({
    name: 'postern_accesses_total',
    help: 'Recorded accesses by resource, decision, how they ended and class of the status that the client got.',
    labelNames: ['resource', 'decision', 'end', 'status'],
    registers: this.#registers,
  });
  readonly #seconds = new Histogram({
    name: 'postern_access_duration_seconds',
    help: 'From the arrival of an allowed HTTP request to the end of its answer.',
    labelNames: ['resource'],
    buckets: ACCESS_SECONDS,
    registers: this.#registers,
  });
  readonly #responses = new Counter({
    name: 'postern_http_responses_total',
    help: 'Answers to clients, refusals included, by part of the relay (control: its own host, gateway: resources) and class of status.',
    labelNames: ['part', 'status'],
    registers: this.#registers,
  });
  readonly #strangers = new Counter({
    name: 'postern_strangers_refused_total',
    help: 'Refusals of people and machines without a session, by reason.',
    labelNames: ['reason'],
    registers: this.#registers,
  });
  readonly #appended = new Histogram({
    name: 'postern_audit_append_seconds',
    help: 'How long accesses waited for their record to be durable.',
    buckets: APPEND_SECONDS,
    registers: this.#registers,
  });
  readonly #failed = new Counter({
    name: 'postern_audit_append_failures_total',
    help: 'Records that could not be written in time; nothing was forwarded for them.',
    registers: this.#registers,
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** `audit`, with every access counted on its way into the log. */
  countAccesses(audit: AuditAppender): AuditAppender {
    return {
      append: async (event) => {
        const from = performance.now();
        // It happened, whether or not its record lands.
        if (event.kind === 'access.outcome') this.#countOutcome(event);
        try {
          const recorded = await audit.append(event);
          if (event.kind !== 'access.outcome') this.#appended.observe((performance.now() - from) / 1000);
          this.#countIntent(event);
          return recorded;
        } catch (error) {
          this.#failed.inc();
          throw error;
        }
      },
    };
  }

  countStrangers(strangers: StrangerMeter): StrangerMeter {
    return {
      refused: (reason, address) => {
        this.#strangers.inc({ reason });
        strangers.refused(reason, address);
      },
    };
  }

  /** `listener`, with its answers counted. */
  countResponses(part: 'control' | 'gateway', listener: (req: IncomingMessage, res: ServerResponse) => void) {
    return (req: IncomingMessage, res: ServerResponse): void => {
      res.once('close', () =>
        this.#responses.inc({ part, status: res.headersSent ? classOf(res.statusCode) : 'none' }),
      );
      listener(req, res);
    };
  }

  watch(sources: MeterSources): void {
    this.#gauge('postern_accesses_open', 'Accesses under way, by resource.', ['resource'], (gauge) => {
      for (const { resource } of sources.live()) gauge.inc({ resource: resource.name });
    });
    this.#gauge('postern_tunnels', 'Tunnels of agents.', ['agent'], (gauge) => {
      for (const { agent } of sources.tunnels()) gauge.inc({ agent });
    });
    this.#gauge('postern_tunnel_streams', 'Open streams in the tunnels of agents.', ['agent'], (gauge) => {
      for (const { agent, streams } of sources.tunnels()) gauge.inc({ agent }, streams);
    });
    this.#gauge('postern_client_tunnels', 'Tunnels of command lines and programs.', [], (gauge) =>
      gauge.set(sources.clientTunnels()),
    );
    this.#gauge('postern_leases_open', 'Leased ports that are open, by resource.', ['resource'], (gauge) => {
      for (const { resource } of sources.leases()) gauge.inc({ resource });
    });
    this.#gauge('postern_audit_waiting', 'Events that wait for the audit log.', [], (gauge) =>
      gauge.set(sources.auditWaiting()),
    );
    this.#gauge('postern_audit_records', 'Records in the audit log of this relay.', [], (gauge) =>
      gauge.set(sources.auditSize()),
    );
    this.#gauge('postern_sessions_cached', 'Sessions in memory.', [], (gauge) => gauge.set(sources.sessions().cached));
    this.#gauge('postern_session_reads', 'Reads of sessions since the start.', ['from'], (gauge) => {
      const { hits, misses } = sources.sessions();
      gauge.set({ from: 'memory' }, hits);
      gauge.set({ from: 'database' }, misses);
    });
    this.#gauge('postern_authority_silence_seconds', 'Time since the last news of revocations.', [], (gauge) =>
      gauge.set(sources.silenceMs() / 1000),
    );
  }

  #gauge(name: string, help: string, labelNames: string[], read: (gauge: Gauge) => void): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: this.#registers,
      collect() {
        this.reset();
        read(gauge);
      },
    });
  }

  #countIntent(event: AuditEvent): void {
    if (event.kind !== 'access.intent') return;
    if (event.effect === 'deny')
      this.#accesses.inc({ resource: event.resource, decision: 'deny', end: 'denied', status: '4xx' });
  }

  #countOutcome({ resource, end, status, durationMs }: AccessOutcome): void {
    this.#accesses.inc({ resource, decision: 'allow', end, status: status === undefined ? 'none' : classOf(status) });
    // The time of a WebSocket says nothing about how quick the relay is.
    if (status !== 101 && end === 'completed') this.#seconds.observe({ resource }, durationMs / 1000);
  }
}

function classOf(status: number): string {
  return `${Math.floor(status / 100)}xx`;
}
