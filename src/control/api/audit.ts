import type { FastifyInstance, FastifyRequest } from 'fastify';
import { PosternError } from '../../lib/errors.ts';
import { sortableId } from '../../lib/id.ts';
import { AuditEntry, AuditEntryPage, AuditEntryParams, AuditPage, AuditQuery } from '../contract/audit.ts';
import { READERS } from '../permission.ts';
import type { AuditLogEntry, AuditLogPage, ControlDeps } from '../ports.ts';
import { actorOf } from './actor.ts';
import { auditRow } from './audit-row.ts';

/** A search that takes longer is given up: its results would be stale, and the database has other work. */
const SEARCH_TIMEOUT_MS = 10_000;
const DEFAULT_LIMIT = 50;

/** Reads of the audit log. Each is itself on record before its results leave. */
export function serveAudit(app: FastifyInstance, deps: ControlDeps): void {
  app.get<{ Querystring: AuditQuery }>(
    '/api/v1/audit',
    {
      config: { permission: READERS, summary: 'Search the audit log, newest first' },
      schema: { querystring: AuditQuery, response: { 200: AuditPage } },
    },
    async (request): Promise<AuditPage> => {
      const found = await search(request, deps);
      return { rows: found.entries.map(auditRow), next: found.next ?? null };
    },
  );

  app.get<{ Querystring: AuditQuery }>(
    '/api/v1/audit/entries',
    {
      config: { permission: READERS, summary: 'Search the audit log, with every field of each record' },
      schema: { querystring: AuditQuery, response: { 200: AuditEntryPage } },
    },
    async (request): Promise<AuditEntryPage> => {
      const found = await search(request, deps);
      return { entries: found.entries.map(entryOf), next: found.next ?? null };
    },
  );

  app.get<{ Params: { id: string } }>(
    '/api/v1/audit/:id',
    {
      config: { permission: READERS, summary: 'Read one record by its reference id' },
      schema: { params: AuditEntryParams, response: { 200: AuditEntry } },
    },
    async (request): Promise<AuditEntry> => {
      const { id } = request.params;
      const entry = await deps.auditLog.find(id, AbortSignal.timeout(SEARCH_TIMEOUT_MS));
      await recordRead(request, deps, `id:${id}`, entry ? 1 : 0);
      if (!entry)
        throw new PosternError(
          'not_found',
          'The audit log has no record with this reference. If a page or a program was given it, look for it in the log of the relay itself.',
        );
      return entryOf(entry);
    },
  );
}

async function search(request: FastifyRequest<{ Querystring: AuditQuery }>, deps: ControlDeps): Promise<AuditLogPage> {
  const { query = '', before, limit = DEFAULT_LIMIT } = request.query;
  const signal = AbortSignal.timeout(SEARCH_TIMEOUT_MS);
  const found = await deps.auditLog.search({ query, before, limit, signal });
  await recordRead(request, deps, query, found.entries.length);
  return found;
}

function entryOf(entry: AuditLogEntry): AuditEntry {
  const { event, outcome, facts, recorded } = entry;
  const { log, index, leafHash } = recorded;
  return {
    row: auditRow(entry),
    event,
    outcome: outcome ?? null,
    facts: facts ?? null,
    recorded: { log, index, leafHash },
  };
}

async function recordRead(request: FastifyRequest, deps: ControlDeps, query: string, results: number): Promise<void> {
  const at = deps.clock();
  await deps.audit.append({ kind: 'log.read', id: sortableId(at), at, ...actorOf(request), query, results });
}
