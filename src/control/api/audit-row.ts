import { counted } from '../../lib/counted.ts';
import type { AuditRow } from '../contract/audit.ts';
import type { AuditLogEntry } from '../ports.ts';
import { codeWords, endWords, reasonWords } from './reason-words.ts';

/** One line of the audit list. */
export function auditRow({ event, outcome }: AuditLogEntry): AuditRow {
  const { personal } = event;
  const known = personal?.email !== undefined || personal?.name !== undefined || personal?.subject !== undefined;
  return {
    id: event.id,
    at: event.at,
    kind: event.kind,
    person: known ? { name: personal.name ?? null, email: personal.email ?? personal.subject ?? null } : null,
    actor: actor(event),
    summary: summary(event),
    resource: event.kind === 'access.intent' ? event.resource : null,
    method: event.kind === 'access.intent' ? event.method : null,
    path: event.kind === 'access.intent' ? pathOf(event) : null,
    destination: destinationOf(event),
    effect: event.kind === 'access.intent' ? event.effect : null,
    end: outcome?.end ?? null,
    status: outcome?.status ?? null,
    durationMs: outcome?.durationMs ?? null,
  };
}

function actor(event: AuditLogEntry['event']): string {
  if ('agent' in event && event.kind.startsWith('agent.')) return `agent ${event.agent}`;
  if (event.kind === 'sign_in.failed' || event.kind === 'strangers.refused') return 'strangers';
  // Their personal block was erased, or this kind of event carries none: the pseudonym finds the rest with `who:`.
  return event.principal === undefined ? 'relay' : `person ${event.principal.slice(0, 8)}`;
}

function summary(event: AuditLogEntry['event']): string {
  switch (event.kind) {
    case 'access.intent':
      if (event.access === 'tcp') return `Connection to ${event.host}${resolvedText(event)}`;
      return `${event.host}${pathOf(event) ?? ' (path erased)'}`;
    case 'access.terminated':
      return `Cut a live access to ${event.resource}: ${event.personal?.note ?? '(reason erased)'}`;
    case 'lease.opened':
      return `Leased port ${event.port} for ${counted(event.connections, 'connection')} to ${event.resource}`;
    case 'lease.ended':
      return `Lease of a port for ${event.resource} ended: ${endWords(event.reason)}`;
    case 'access.throttled':
      return `${counted(event.count, 'request')} beyond the rate refused`;
    case 'sign_in.completed':
      return 'Signed in';
    case 'sign_in.failed':
      return `Sign-in failed: ${reasonWords(event.reason)}`;
    case 'session.ended':
      return `Session ended: ${endWords(event.reason)}`;
    case 'token.issued':
      return `Token issued for ${event.audience}${event.personal?.note === undefined ? '' : `, to ${event.personal.note}`}`;
    case 'token.revoked':
      return `Signed out a command line of ${event.audience}`;
    case 'log.opened':
      return `Log opened by ${event.relay}`;
    case 'log.read':
      return `Read the log: ${event.query === '' ? 'everything' : event.query} (${counted(event.results, 'result')})`;
    case 'strangers.refused':
      return `${counted(event.count, 'stranger')} refused: ${codeWords(event.reason)}`;
    case 'configuration.loaded':
    case 'configuration.refused':
    case 'policy.loaded':
    case 'policy.refused':
      return `${capital(codeWords(event.kind))}: ${event.difference.slice(0, 3).join(', ') || 'no difference'}`;
    case 'service.created':
    case 'service.disabled':
    case 'service.enabled':
      return `Service ${event.service} ${event.kind.slice('service.'.length)}`;
    case 'service.token_issued':
      return `Token of service ${event.service} issued for ${event.scope?.join(', ') ?? 'nothing'}`;
    case 'service.token_rotated':
      return `Token of service ${event.service} rotated: the old one ends by itself`;
    case 'service.token_revoked':
      return `Token of service ${event.service} revoked`;
    case 'agent.token_created':
      return `Enrollment token created for ${event.agent}`;
    case 'agent.token_revoked':
      return `Enrollment token of ${event.agent} revoked`;
    case 'agent.revoked':
      return `Agent ${event.agent} revoked`;
    case 'agent.drained':
      return `Agent ${event.agent} drained: no new streams`;
    case 'agent.resumed':
      return `Agent ${event.agent} takes streams again`;
    case 'agent.announced':
      return `Announced a new resource: ${event.reason ?? ''}`;
    case 'agent.announcement_refused':
      return `Announced what it may not serve: ${event.reason ?? ''}`;
    case 'agent.enrolled':
    case 'agent.enrollment_refused':
    case 'agent.connected':
    case 'agent.disconnected':
    case 'agent.refused':
      return `${capital(codeWords(event.kind.slice('agent.'.length)))}${event.reason === undefined ? '' : `: ${reasonWords(event.reason)}`}`;
  }
}

function destinationOf(event: AuditLogEntry['event']): string | null {
  if (event.kind !== 'access.intent' || event.access !== 'tcp' || event.host === event.resource) return null;
  return event.host + resolvedText(event);
}

/** Where a name led to. */
function resolvedText({
  host,
  destination = host,
}: Extract<AuditLogEntry['event'], { kind: 'access.intent' }>): string {
  return destination === host ? '' : ` at ${destination}`;
}

function pathOf({ personal }: AuditLogEntry['event']): string | null {
  if (personal?.path === undefined) return null;
  return personal.query === undefined ? personal.path : `${personal.path}?${personal.query}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
