import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AuditPage } from './audit/audit-page.tsx';
import { RecordDrawer } from './audit/record-drawer.tsx';
import { Frame } from './frame/frame.tsx';
import { LauncherPage } from './launcher/launcher-page.tsx';
import { NotFound } from './parts/state.tsx';

const rootRoute = createRootRoute({ component: Frame, notFoundComponent: NotFound });

const launcherRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: LauncherPage });

/** The query is the only state of the audit page, so that every view of the log has an address. */
const auditRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/audit',
  component: AuditPage,
  validateSearch: (search: Record<string, unknown>): { query?: string } => {
    const { query } = search;
    return typeof query === 'string' && query !== '' ? { query } : {};
  },
});

/** Over the list, so that closing it is back in the list. */
const recordRoute = createRoute({ getParentRoute: () => auditRoute, path: '$id', component: RecordDrawer });

export const router = createRouter({
  routeTree: rootRoute.addChildren([launcherRoute, auditRoute.addChildren([recordRoute])]),
  // Plain text in the address bar: `?query=effect:deny`, not JSON.
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    ).toString();
    return text === '' ? '' : `?${text.replaceAll('%3A', ':').replaceAll('%40', '@')}`;
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
