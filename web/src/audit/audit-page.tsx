import { Button } from '@mantine/core';
import { type InfiniteData, type UseInfiniteQueryResult, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Outlet, useNavigate } from '@tanstack/react-router';
import type { AuditPage as AuditRows } from '../../../src/control/contract/audit.ts';
import { auditQuery, meQuery } from '../api/queries.ts';
import { RequestFailure } from '../api/request.ts';
import { pagesFor } from '../frame/pages.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { ErrorState, State } from '../parts/state.tsx';
import { AuditTable, WaitingTable } from './audit-table.tsx';
import { Filters } from './filters.tsx';
import { LogEnd } from './log-end.tsx';

const route = getRouteApi('/audit');

/** Page 2: what happened, newest first. */
export function AuditPage() {
  const roles = useQuery(meQuery).data?.roles ?? [];
  if (!pagesFor(roles).some((page) => page.to === '/audit')) {
    return (
      <State title="The audit log is not open to you">
        It needs one of the roles auditor, security or admin. Whoever runs this relay gives them out.
      </State>
    );
  }
  return <AuditLog />;
}

function AuditLog() {
  const { query = '' } = route.useSearch();
  const navigate = useNavigate();
  const log = useInfiniteQuery(auditQuery(query));
  const rows = log.data?.pages.flatMap((page) => page.rows) ?? [];
  const ask = (text: string) =>
    void navigate({ to: '/audit', search: text.trim() === '' ? {} : { query: text.trim() } });

  return (
    <>
      <PageHead title="Audit log" lead="Every access and every change, newest first. Reading it is recorded too." />
      <Filters
        query={query}
        ask={ask}
        again={() => void log.refetch()}
        busy={log.isRefetching && !log.isFetchingNextPage}
      />
      {log.isPending && <WaitingTable />}
      {log.isError && rows.length === 0 && (
        <ErrorState
          title={misread(log.error) ? 'This search is not understood' : 'The log could not be read'}
          error={log.error}
          retry={() => void log.refetch()}
        />
      )}
      {log.isSuccess && rows.length === 0 && !log.hasNextPage && (
        <State
          title={query === '' ? 'Nothing is recorded yet' : 'No record matches'}
          action={
            query !== '' && (
              <Button variant="default" onClick={() => ask('')}>
                Clear all filters
              </Button>
            )
          }
        >
          {query === '' ? 'The first sign-in will appear here.' : 'Take a filter away, or look at a longer time.'}
        </State>
      )}
      {rows.length > 0 && <AuditTable rows={rows} query={query} />}
      {log.data && <LogEnd rows={rows.length} state={endState(log)} load={() => void log.fetchNextPage()} />}
      <Outlet />
    </>
  );
}

function endState(log: UseInfiniteQueryResult<InfiniteData<AuditRows>>) {
  if (log.isFetchingNextPage) return 'loading';
  if (log.isFetchNextPageError) return 'failed';
  if (!log.hasNextPage) return 'end';
  return log.data?.pages.at(-1)?.rows.length === 0 ? 'sparse' : 'more';
}

function misread(error: Error): boolean {
  return error instanceof RequestFailure && error.problem?.code === 'request_invalid';
}
