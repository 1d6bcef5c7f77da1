import type { Checkpoints } from '../audit/checkpoints.ts';
import { parseAuditQuery } from '../audit/query.ts';
import type { AuditLogEntry, AuditLogReader } from '../control/ports.ts';
import type { AuditEntry, AuditLeaf } from '../domain/audit-search.ts';
import { systemClock } from '../lib/clock.ts';
import { searchAudit } from '../store/audit-search.ts';
import type { Store } from '../store/open.ts';

/** The audit log as the API reads it: text of the search language in, events with their outcomes out. */
export function createAuditReader(store: Store, checkpoints: Pick<Checkpoints, 'current'>): AuditLogReader {
  return {
    checkpoint: () => checkpoints.current(),

    async search({ query, before, limit, signal }) {
      const filter = parseAuditQuery(query, systemClock());
      const page = await searchAudit(store, filter, {
        limit,
        signal,
        ...(before === undefined ? {} : { after: before }),
      });
      return { entries: page.entries.map(logEntryOf), next: page.next };
    },

    async find(id, signal) {
      const { entries } = await searchAudit(store, { fields: { id: [id] }, words: [] }, { limit: 1, signal });
      return entries.map(logEntryOf)[0];
    },
  };
}

function logEntryOf(entry: AuditEntry): AuditLogEntry {
  const { leaf, leafHash, personal, facts, outcome } = entry;
  return {
    event: eventOf(leaf, personal) as AuditLogEntry['event'],
    recorded: { id: leaf.id, log: leaf.log, index: leaf.index, leafHash },
    outcome: outcome && (eventOf(outcome, undefined) as NonNullable<AuditLogEntry['outcome']>),
    facts,
  };
}

/** The event that was appended: the leaf without what makes it a leaf, with the block instead of its hash. */
function eventOf(leaf: AuditLeaf, personal: AuditEntry['personal']): object {
  const { v: _version, log: _log, index: _index, personal: _hash, ...event } = leaf;
  return personal === undefined ? event : { ...event, personal };
}
