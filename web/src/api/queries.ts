import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { AuditEntry, AuditPage } from '../../../src/control/contract/audit.ts';
import type { Me } from '../../../src/control/contract/me.ts';
import type { ResourceList } from '../../../src/control/contract/resources.ts';
import { getJson } from './request.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => getJson<Me>('/api/v1/me', signal),
});

export const resourcesQuery = queryOptions({
  queryKey: ['resources'],
  queryFn: ({ signal }) => getJson<ResourceList>('/api/v1/resources', signal),
});

/** `query` is text in the search language of the audit log. */
export function auditQuery(query: string) {
  return infiniteQueryOptions({
    queryKey: ['audit', query],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) => {
      const search = new URLSearchParams({ limit: '100' });
      if (query !== '') search.set('query', query);
      if (pageParam !== undefined) search.set('before', pageParam);
      return getJson<AuditPage>(`/api/v1/audit?${search}`, signal);
    },
    getNextPageParam: (page) => page.next ?? undefined,
  });
}

export function auditEntryQuery(id: string) {
  return queryOptions({
    queryKey: ['audit-entry', id],
    queryFn: ({ signal }) => getJson<AuditEntry>(`/api/v1/audit/${encodeURIComponent(id)}`, signal),
  });
}
