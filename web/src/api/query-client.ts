import { QueryClient } from '@tanstack/react-query';
import { RequestFailure } from './request.ts';

/** Reads of the audit log are themselves recorded, so nothing is fetched again just because a window was looked at. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // A clear answer will not change by asking again; silence may.
      retry: (failures, error) => failures < 2 && error instanceof RequestFailure && error.problem === undefined,
    },
  },
});
