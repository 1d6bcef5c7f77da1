import type { FoundRecord } from '../client/audit-search.ts';
import { printable } from '../lib/printable.ts';

type Row = FoundRecord['row'];

/** One line per record: when, who, what was decided and came of it, what it was, and its reference. */
export function auditLines(rows: readonly Row[]): string {
  return rows.map((row) => `${printable(auditLine(row))}\n`).join('');
}

function auditLine(row: Row): string {
  const who = row.person?.email ?? row.person?.name ?? row.actor;
  const decided = decisionText(row);
  const what = row.method === null || row.method === 'CONNECT' ? row.summary : `${row.method} ${row.summary}`;
  return [new Date(row.at).toISOString(), who, ...(decided === undefined ? [] : [decided]), what, row.id].join('  ');
}

/** `denied`, `allowed, 200`, `allowed, target unreachable`. */
function decisionText({ effect, status, end }: Row): string | undefined {
  if (effect === null) return undefined;
  if (effect === 'deny') return 'denied';
  if (end === null) return 'allowed, no end yet';
  return `allowed, ${status !== null && end === 'completed' ? status : end.replaceAll('_', ' ')}`;
}
