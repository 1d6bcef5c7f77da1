import { AppShell, Burger, Group, Loader, NavLink } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { meQuery } from '../api/queries.ts';
import { ErrorState } from '../parts/state.tsx';
import classes from './frame.module.css';
import { Mark } from './mark.tsx';
import { pagesFor } from './pages.tsx';
import { WhoMenu } from './who-menu.tsx';

/** What is around every page: the mark, who I am, and the pages that my roles allow. */
export function Frame() {
  const me = useQuery(meQuery);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [open, { toggle, close }] = useDisclosure();
  const pages = pagesFor(me.data?.roles ?? []);
  const single = pages.length < 2;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the menu closes because the path changed
  useEffect(close, [path]);

  return (
    <AppShell
      header={{ height: 56 }}
      {...(single ? {} : { navbar: { width: 208, breakpoint: 'sm', collapsed: { mobile: !open } } })}
      padding={0}
    >
      <a className={classes['skip']} href="#page">
        Skip to the page
      </a>
      <AppShell.Header className={classes['header'] ?? ''}>
        <Group gap="sm" wrap="nowrap">
          {!single && (
            <Burger
              opened={open}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Navigation"
              aria-expanded={open}
            />
          )}
          <Link to="/" className={classes['home']}>
            <Mark />
            <span>Postern</span>
          </Link>
        </Group>
        {me.data && <WhoMenu me={me.data} />}
      </AppShell.Header>
      {!single && (
        <AppShell.Navbar className={classes['navbar'] ?? ''} aria-label="Pages">
          {pages.map(({ to, label, icon }) => (
            <NavLink
              key={to}
              className={classes['link'] ?? ''}
              label={label}
              leftSection={icon}
              active={to === '/' ? path === '/' : path.startsWith(to)}
              renderRoot={(props) => <Link to={to} {...props} />}
            />
          ))}
        </AppShell.Navbar>
      )}
      <AppShell.Main id="page" tabIndex={-1} className={classes['main'] ?? ''}>
        <div className={classes['page']}>
          {me.isPending && (
            <div className={classes['wait']}>
              <Loader aria-label="Loading" />
            </div>
          )}
          {me.isError && (
            <ErrorState title="The console cannot start" error={me.error} retry={() => void me.refetch()} />
          )}
          {me.data && <Outlet />}
        </div>
      </AppShell.Main>
    </AppShell>
  );
}
