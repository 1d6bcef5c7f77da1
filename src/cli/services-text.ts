import type { ServiceTokenView, ServiceView } from '../client/services.ts';
import { table, timeOf } from './table.ts';

export function serviceTable(services: readonly ServiceView[]): string {
  return table(
    ['SERVICE', 'STATE', 'OWNER', 'REACHES', 'TOKENS', 'LAST USED'],
    services.map(({ name, disabledAt, owner, tokens }) => [
      name,
      disabledAt === null ? 'enabled' : 'disabled',
      owner,
      [...new Set(tokens.flatMap(({ scope }) => scope))].toSorted().join(', ') || '-',
      countOf(tokens),
      timeOf(lastUse(tokens)),
    ]),
  );
}

export function serviceTokenTable(tokens: readonly ServiceTokenView[]): string {
  return table(
    ['ID', 'LABEL', 'REACHES', 'UNTIL', 'LAST USED', ''],
    tokens.map(({ id, label, scope, expiresAt, lastUsedAt, unused }) => [
      id,
      label ?? '-',
      scope.join(', '),
      timeOf(expiresAt),
      timeOf(lastUsedAt),
      unused ? 'unused' : '',
    ]),
  );
}

function countOf(tokens: readonly ServiceTokenView[]): string {
  const unused = tokens.filter((token) => token.unused).length;
  return unused === 0 ? String(tokens.length) : `${tokens.length} (${unused} unused)`;
}

function lastUse(tokens: readonly ServiceTokenView[]): number | null {
  const uses = tokens.flatMap(({ lastUsedAt }) => lastUsedAt ?? []);
  return uses.length === 0 ? null : Math.max(...uses);
}
